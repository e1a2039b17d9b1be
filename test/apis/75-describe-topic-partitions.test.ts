import { expect, test } from 'vitest'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { describeTopicPartitions } from '../../src/broker/apis/75-describe-topic-partitions.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { makeTopic, noTopicId, uniqueName } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

type Request = Draft<typeof describeTopicPartitions.request>

function describeTopics(client: WireClient, names: string[], draft: Partial<Request> = {}) {
  const topics = names.map(name => ({ name }))
  return client.call(describeTopicPartitions, 0, { topics, ...draft })
}

/** The page as `name:indexes`, and where the next one begins. */
async function page(client: WireClient, names: string[], draft: Partial<Request> = {}) {
  const { topics, nextCursor } = await describeTopics(client, names, draft)
  const shown = topics.map(({ name, partitions }) => {
    const indexes = partitions.map(({ partitionIndex }) => partitionIndex)
    return `${name}:${indexes.join(',')}`
  })
  return { topics: shown, nextCursor }
}

/** Topics of one, two and three partitions, named in this order. */
async function makeTopics(client: WireClient): Promise<string[]> {
  const prefix = uniqueName()
  const names = ['a', 'b', 'c'].map(letter => `${prefix}-${letter}`)
  for (const [index, name] of names.entries()) await makeTopic(client, { name, partitions: index + 1 })
  return names
}

test('describes topics and their partitions', async () => {
  const client = await connectToBroker()
  const { name, topicId } = await makeTopic(client, { partitions: 2 })
  const { topics, nextCursor } = await describeTopics(client, [name])
  expect(topics).toEqual([
    {
      errorCode: 0,
      name,
      topicId,
      isInternal: false,
      topicAuthorizedOperations: 3576,
      partitions: [0, 1].map(partitionIndex => ({
        errorCode: 0,
        partitionIndex,
        leaderId: 1,
        leaderEpoch: 0,
        replicaNodes: [1],
        isrNodes: [1],
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
        offlineReplicas: [],
      })),
    },
  ])
  expect(nextCursor).toBeNull()
})

test('answers sorted by name, each name once, with what is wrong with it', async () => {
  const client = await connectToBroker()
  const [a, b] = (await makeTopics(client)) as [string, string]
  const strange = `${b}-x`
  const { topics } = await describeTopics(client, [strange, b, 'not a name', a, b])
  expect(topics.map(({ name, errorCode }) => [name, errorName(errorCode)])).toEqual(
    [
      ['not a name', 'INVALID_TOPIC_EXCEPTION'],
      [a, 'NONE'],
      [b, 'NONE'],
      [strange, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ].toSorted(([first], [second]) => (first! < second! ? -1 : 1)),
  )
  expect(topics.find(({ name }) => name === strange)!.topicId).toBe(noTopicId)
})

test('tells of an internal topic what it is, there or not', async () => {
  const client = await connect((await startBroker()).address)
  const { topics } = await describeTopics(client, ['__consumer_offsets', uniqueName()])
  expect(topics.map(({ isInternal }) => isInternal)).toEqual([true, false])
})

test('makes no topic that is asked for', async () => {
  const client = await connectToBroker()
  const name = uniqueName()
  await describeTopics(client, [name])
  const { topics } = await client.call(metadata, 12, { topics: null })
  expect(topics.map(topic => topic.name)).not.toContain(name)
})

test('goes page by page', async () => {
  const client = await connectToBroker()
  const names = await makeTopics(client)
  const [a, b, c] = names
  const limit = { responsePartitionLimit: 2 }
  const first = await page(client, names, limit)
  expect(first).toEqual({ topics: [`${a}:0`, `${b}:0`], nextCursor: { topicName: b, partitionIndex: 1 } })
  const second = await page(client, names, { ...limit, cursor: first.nextCursor })
  expect(second).toEqual({ topics: [`${b}:1`, `${c}:0`], nextCursor: { topicName: c, partitionIndex: 1 } })
  const third = await page(client, names, { ...limit, cursor: second.nextCursor })
  expect(third).toEqual({ topics: [`${c}:1,2`], nextCursor: null })
})

test('begins the next page with the next topic where a page ends with one', async () => {
  const client = await connectToBroker()
  const names = await makeTopics(client)
  const [a, b, c] = names
  expect(await page(client, names, { responsePartitionLimit: 3 })).toEqual({
    topics: [`${a}:0`, `${b}:0,1`],
    nextCursor: { topicName: c, partitionIndex: 0 },
  })
})

test('gives one partition at least, and no more than max.request.partition.size.limit', async () => {
  const { address } = await startBroker({ settings: { 'max.request.partition.size.limit': 2 } })
  const client = await connect(address)
  const names = await makeTopics(client)
  const [a, b] = names
  expect((await page(client, names)).topics).toEqual([`${a}:0`, `${b}:0`])
  for (const responsePartitionLimit of [0, -5]) {
    expect((await page(client, names, { responsePartitionLimit })).topics).toEqual([`${a}:0`])
  }
})

test('describes all topics where none is named, from the cursor on, which need not be one', async () => {
  const client = await connect((await startBroker()).address)
  const [a, b, c] = await makeTopics(client)
  expect((await page(client, [])).topics).toEqual([`${a}:0`, `${b}:0,1`, `${c}:0,1,2`])
  const cursor = { topicName: `${a}-x`, partitionIndex: 1 }
  expect((await page(client, [], { cursor })).topics).toEqual([`${b}:0,1`, `${c}:0,1,2`])
})

test('refuses a cursor that is not among the topics asked for, or below 0', async () => {
  const client = await connectToBroker()
  const names = await makeTopics(client)
  for (const cursor of [
    { topicName: `${names[0]}-x`, partitionIndex: 0 },
    { topicName: names[0]!, partitionIndex: -1 },
  ]) {
    const { topics } = await describeTopics(client, names, { cursor })
    expect(topics.map(({ errorCode }) => errorName(errorCode))).toEqual(names.map(() => 'INVALID_REQUEST'))
  }
})

test('shows no partition to a cursor past the last', async () => {
  const client = await connectToBroker()
  const names = await makeTopics(client)
  const [, b, c] = names
  const cursor = { topicName: b!, partitionIndex: 7 }
  expect((await page(client, names, { cursor })).topics).toEqual([`${b}:`, `${c}:0,1,2`])
})
