import { expect, test } from 'vitest'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { offsetCommit } from '../../src/broker/apis/08-offset-commit.ts'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { findCoordinator } from '../../src/broker/apis/10-find-coordinator.ts'
import { deleteTopics } from '../../src/broker/apis/20-delete-topics.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import {
  batchOf,
  eventually,
  fetchFrom,
  latest,
  makeTopic,
  noTopicId,
  produceTo,
  strangeTopicId,
  uniqueName,
  versionsOf,
} from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

interface Asked {
  readonly name: string | null
  readonly topicId: string
}

const byName = (name: string): Asked => ({ name, topicId: noTopicId })
const byId = (topicId: string): Asked => ({ name: null, topicId })

async function remove(client: WireClient, ...topics: Asked[]) {
  const { responses } = await client.call(deleteTopics, 6, { topics, topicNames: [], timeoutMs: 30_000 })
  return responses
}

async function names(client: WireClient): Promise<(string | null)[]> {
  return (await client.call(metadata, 12, { topics: null })).topics.map(({ name }) => name)
}

/** All names, once these are gone. */
function namesWithout(client: WireClient, ...gone: string[]): Promise<(string | null)[]> {
  return eventually(
    () => names(client),
    left => !gone.some(name => left.includes(name)),
  )
}

test('deletes topics with all that they hold, in every version', async () => {
  const client = await connectToBroker()
  for (const version of versionsOf(deleteTopics)) {
    const topic = await makeTopic(client)
    await produceTo(client, topic, batchOf(['a']))
    const asked =
      version < 6 ? { topicNames: [topic.name] } : { topicNames: [], topics: [byName(topic.name)] }
    const { responses } = await client.call(deleteTopics, version, { ...asked, timeoutMs: 30_000 })
    expect(responses).toMatchObject([{ name: topic.name, errorCode: 0, errorMessage: null }])
    expect(await namesWithout(client, topic.name)).not.toContain(topic.name)
  }
})

test('makes room for a new topic of the same name, empty and with another id', async () => {
  const client = await connectToBroker()
  const before = await makeTopic(client)
  await produceTo(client, before, batchOf(['old']))
  await remove(client, byName(before.name))
  const after = await makeTopic(client, { name: before.name })
  expect(after.topicId).not.toBe(before.topicId)
  expect((await latest(client, after.name)).offset).toBe(0n)
  const read = await eventually(
    () => fetchFrom(client, before),
    ({ errorCode }) => errorName(errorCode) === 'UNKNOWN_TOPIC_ID',
  )
  expect(errorName(read.errorCode)).toBe('UNKNOWN_TOPIC_ID')
})

test('deletes by id and by name in one request, and tells both of each', async () => {
  const client = await connectToBroker()
  const [first, second, third] = [await makeTopic(client), await makeTopic(client), await makeTopic(client)]
  const responses = await remove(client, byName(first.name), byId(second.topicId))
  expect(new Set(responses.map(({ name, topicId }) => `${name}/${topicId}`))).toEqual(
    new Set([first, second].map(({ name, topicId }) => `${name}/${topicId}`)),
  )
  const left = await namesWithout(client, first.name, second.name)
  expect(left).toContain(third.name)
  expect(left).not.toContain(first.name)
  expect(left).not.toContain(second.name)
})

test('judges each topic by itself', async () => {
  const client = await connectToBroker()
  const [good, both] = [await makeTopic(client), await makeTopic(client)]
  const strange = uniqueName()
  const responses = await remove(
    client,
    byName(good.name),
    byName(strange),
    byId(strangeTopicId),
    byId(noTopicId),
    { name: both.name, topicId: both.topicId },
  )
  const codeOf = (name: string | null, topicId?: string) =>
    errorName(
      responses.find(each => each.name === name && (topicId === undefined || each.topicId === topicId))!
        .errorCode,
    )
  expect(codeOf(good.name)).toBe('NONE')
  expect(codeOf(strange)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(codeOf(null, strangeTopicId)).toBe('UNKNOWN_TOPIC_ID')
  expect(codeOf(null, noTopicId)).toBe('INVALID_REQUEST')
  expect(codeOf(both.name)).toBe('INVALID_REQUEST')
  expect(await names(client)).toContain(both.name)
})

test('refuses what is named twice, in whatever way', async () => {
  const client = await connectToBroker()
  const { name, topicId } = await makeTopic(client)
  const refusals = [
    [byName(name), byName(name)],
    [byId(topicId), byId(topicId)],
    [byName(name), byId(topicId)],
  ]
  const messages = []
  for (const asked of refusals) {
    const responses = await remove(client, ...asked)
    expect(responses.map(({ errorCode }) => errorName(errorCode))).toEqual(['INVALID_REQUEST'])
    messages.push(responses[0]!.errorMessage)
  }
  expect(messages).toEqual([
    'Duplicate topic name.',
    'Duplicate topic id.',
    'The provided topic name maps to an ID that was already supplied.',
  ])
  const [twice] = await remove(client, byName(name), byId(topicId))
  expect(twice).toMatchObject({ name, topicId })
  expect(await names(client)).toContain(name)
})

test('deletes nothing where delete.topic.enable is off', async () => {
  const client = await connect((await startBroker({ settings: { 'delete.topic.enable': false } })).address)
  const { name } = await makeTopic(client)
  const codeOf = async (version: number) => {
    const request = { topicNames: [name], topics: [byName(name)], timeoutMs: 1000 }
    return errorName((await client.call(deleteTopics, version, request)).responses[0]!.errorCode)
  }
  expect(await codeOf(2)).toBe('INVALID_REQUEST')
  expect(await codeOf(3)).toBe('TOPIC_DELETION_DISABLED')
  expect(await codeOf(6)).toBe('TOPIC_DELETION_DISABLED')
  expect(await names(client)).toEqual([name])
})

test('deletes internal topics too, which come back at the next need without what they held', async () => {
  const client = await connect((await startBroker()).address)
  const topic = await makeTopic(client)
  const find = () => client.call(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
  const commit = async () => {
    const partitions = [{ partitionIndex: 0, committedOffset: 5n, committedMetadata: null }]
    const request = { groupId: 'g', memberId: '', topics: [{ name: topic.name, partitions }] }
    const { topics } = await client.call(offsetCommit, 7, request)
    return errorName(topics[0]!.partitions[0]!.errorCode)
  }
  const committed = async () => {
    const topics = [{ name: topic.name, partitionIndexes: [0] }]
    const answer = await client.call(offsetFetch, 7, { groupId: 'g', topics })
    return answer.topics[0]!.partitions[0]!.committedOffset
  }
  await find()
  expect(await commit()).toBe('NONE')
  expect(await remove(client, byName('__consumer_offsets'))).toMatchObject([{ errorCode: 0 }])
  expect(await names(client)).toEqual([topic.name])

  await find()
  expect(await names(client)).toEqual(['__consumer_offsets', topic.name])
  expect(await committed()).toBe(-1n)
  expect(await commit()).toBe('NONE')
  expect(await committed()).toBe(5n)
})
