import { expect, test } from 'vitest'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { createPartitions } from '../../src/broker/apis/37-create-partitions.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import {
  batchOf,
  eventually,
  latest,
  makeTopic,
  produceTo,
  uniqueName,
  versionsOf,
} from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

interface Asked {
  readonly name: string
  readonly count: number
  readonly assignments: { brokerIds: number[] }[] | null
}

function to(name: string, count: number, ...brokerIds: number[][]): Asked {
  return {
    name,
    count,
    assignments: brokerIds.length > 0 ? brokerIds.map(ids => ({ brokerIds: ids })) : null,
  }
}

async function grow(client: WireClient, topics: Asked[], { version = 3, validateOnly = false } = {}) {
  const request = { topics, timeoutMs: 30_000, validateOnly }
  return (await client.call(createPartitions, version, request)).results
}

/** What becomes of one topic, as `ERROR: message`. */
async function refusal(client: WireClient, asked: Asked): Promise<string> {
  const [{ errorCode, errorMessage } = expect.fail('no result')] = await grow(client, [asked])
  return `${errorName(errorCode)}: ${errorMessage}`
}

/** How many partitions a topic has, once there are as many as expected. */
async function partitionCount(client: WireClient, name: string, expected: number): Promise<number> {
  const count = async () =>
    (await client.call(metadata, 12, { topics: [{ name }] })).topics[0]!.partitions.length
  return eventually(count, found => found === expected)
}

test('adds partitions and answers for each topic, in every version', async () => {
  const client = await connectToBroker()
  for (const version of versionsOf(createPartitions)) {
    const { name } = await makeTopic(client)
    const results = await grow(client, [to(name, 3)], { version })
    expect(results).toEqual([{ name, errorCode: 0, errorMessage: null }])
    expect(await partitionCount(client, name, 3)).toBe(3)
  }
})

test('has partitions ready for producers the moment it answers, and keeps the old ones', async () => {
  const client = await connect((await startBroker()).address)
  const topic = await makeTopic(client)
  await produceTo(client, topic, batchOf(['a', 'b']))
  await grow(client, [to(topic.name, 2)])
  expect(await produceTo(client, topic, batchOf(['c']), { index: 1 })).toMatchObject({ errorCode: 0 })
  expect((await latest(client, topic.name, 0)).offset).toBe(2n)
  expect((await latest(client, topic.name, 1)).offset).toBe(1n)
})

test('refuses what would not be an increase with INVALID_PARTITIONS', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client, { partitions: 2 })
  expect(await refusal(client, to(name, 2))).toBe('INVALID_PARTITIONS: Topic already has 2 partition(s).')
  expect(await refusal(client, to(name, 1))).toBe(
    `INVALID_PARTITIONS: The topic ${name} currently has 2 partition(s); 1 would not be an increase.`,
  )
})

test('judges each topic by itself', async () => {
  const client = await connectToBroker()
  const [good, twice] = [(await makeTopic(client)).name, (await makeTopic(client)).name]
  const strange = uniqueName()
  const results = await grow(client, [to(good, 2), to(strange, 2), to(twice, 2), to(twice, 3)])
  const codes = new Map(results.map(({ name, errorCode }) => [name, errorName(errorCode)]))
  expect(results.length).toBe(3)
  expect(codes.get(good)).toBe('NONE')
  expect(codes.get(strange)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(codes.get(twice)).toBe('INVALID_REQUEST')
  expect(await partitionCount(client, twice, 1)).toBe(1)
})

test('takes assignments that name the nodes there are, one for each new partition', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client)
  expect(await refusal(client, to(name, 3, [1], [1]))).toBe('NONE: null')
  const kind = 'INVALID_REPLICA_ASSIGNMENT:'
  expect(await refusal(client, to(name, 5, [1]))).toBe(
    `${kind} Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.`,
  )
  const includes = `${kind} The manual partition assignment includes`
  expect(await refusal(client, to(name, 4, [2]))).toBe(
    `${includes} broker 2, but no such broker is registered.`,
  )
  expect(await refusal(client, to(name, 4, []))).toBe(`${includes} an empty replica list.`)
  expect(await refusal(client, to(name, 4, [1, 1]))).toBe(`${includes} the broker 1 more than once.`)
  expect(await partitionCount(client, name, 3)).toBe(3)
})

test('only looks when it is told to validate', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client)
  expect(await grow(client, [to(name, 9)], { validateOnly: true })).toMatchObject([{ errorCode: 0 }])
  expect(await partitionCount(client, name, 1)).toBe(1)
})

test('refuses more partitions than anybody means, and makes none of them', async () => {
  const client = await connect((await startBroker()).address)
  const { name } = await makeTopic(client)
  expect(await refusal(client, to(name, 20_000))).toMatch(/^POLICY_VIOLATION: /)
  expect(await partitionCount(client, name, 1)).toBe(1)
})
