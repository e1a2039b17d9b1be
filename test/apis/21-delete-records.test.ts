import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { findCoordinator } from '../../src/broker/apis/10-find-coordinator.ts'
import { deleteTopics } from '../../src/broker/apis/20-delete-topics.ts'
import { deleteRecords } from '../../src/broker/apis/21-delete-records.ts'
import { errorCodes, errorName } from '../../src/protocol/errors.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import {
  batchOf,
  fetchFrom,
  makeTopic,
  produceTo,
  recordsIn,
  uniqueName,
  versionsOf,
  type TestTopic,
} from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

async function cut(client: WireClient, name: string, cuts: [partitionIndex: number, offset: bigint][]) {
  const partitions = cuts.map(([partitionIndex, offset]) => ({ partitionIndex, offset }))
  const answer = await client.call(deleteRecords, 2, { topics: [{ name, partitions }], timeoutMs: 30_000 })
  return answer.topics[0]!.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
}

/** Five batches of one record in partition 0, none in partition 1. */
async function makeFilledTopic(client: WireClient): Promise<TestTopic> {
  const topic = await makeTopic(client, { partitions: 2 })
  for (const value of ['a', 'b', 'c', 'd', 'e']) await produceTo(client, topic, batchOf([value]))
  return topic
}

test('moves the start of a partition, in every version', async () => {
  const client = await connectToBroker()
  for (const version of versionsOf(deleteRecords)) {
    const topic = await makeFilledTopic(client)
    const { topics } = await client.call(deleteRecords, version, {
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset: 2n }] }],
      timeoutMs: 30_000,
    })
    expect(topics).toMatchObject([
      { name: topic.name, partitions: [{ partitionIndex: 0, lowWatermark: 2n, errorCode: 0 }] },
    ])
    const fetched = await fetchFrom(client, topic, { fetchOffset: 2n })
    expect(fetched).toMatchObject({ logStartOffset: 2n, highWatermark: 5n })
    expect(recordsIn(fetched)).toEqual(['2:c', '3:d', '4:e'])
    const before = await fetchFrom(client, topic, { fetchOffset: 1n })
    expect(errorName(before.errorCode)).toBe('OFFSET_OUT_OF_RANGE')
  }
})

test('never moves it back', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  await cut(client, name, [[0, 3n]])
  expect(await cut(client, name, [[0, 1n]])).toMatchObject([{ errorCode: 0, lowWatermark: 3n }])
})

test('deletes everything up to the high watermark for -1', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  const answers = await cut(client, name, [
    [0, -1n],
    [1, -1n],
  ])
  expect(answers).toMatchObject([{ lowWatermark: 5n }, { lowWatermark: 0n }])
})

test('refuses offsets that are not there, and does the rest', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  const answers = await cut(client, name, [
    [0, 6n],
    [1, 0n],
    [2, 0n],
  ])
  expect(answers.map(({ errorCode }) => errorName(errorCode))).toEqual([
    'OFFSET_OUT_OF_RANGE',
    'NONE',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ])
  expect(answers.map(({ lowWatermark }) => lowWatermark)).toEqual([-1n, 0n, -1n])
  const [negative] = await cut(client, name, [[0, -2n]])
  expect(errorName(negative!.errorCode)).toBe('OFFSET_OUT_OF_RANGE')
  const [absent] = await cut(client, uniqueName(), [[0, 0n]])
  expect(errorName(absent!.errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
})

test('takes the last of several offsets for one partition', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  const answers = await cut(client, name, [
    [0, 4n],
    [0, 2n],
  ])
  expect(answers).toMatchObject([{ partitionIndex: 0, lowWatermark: 2n, errorCode: 0 }])
})

test('takes a topic that is named twice as one', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  const { topics } = await client.call(deleteRecords, 2, {
    topics: [4n, 2n].map(offset => ({ name, partitions: [{ partitionIndex: 0, offset }] })),
    timeoutMs: 30_000,
  })
  expect(topics).toMatchObject([{ name, partitions: [{ lowWatermark: 2n, errorCode: 0 }] }])
})

test('deletes from topics that have no cleanup policy', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { configs: { 'cleanup.policy': '' } })
  await produceTo(client, topic, batchOf(['a']))
  const [answer] = await cut(client, topic.name, [[0, 1n]])
  expect(answer).toMatchObject({ errorCode: 0, lowWatermark: 1n })
})

test('refuses topics that are only compacted with POLICY_VIOLATION', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client, { configs: { 'cleanup.policy': 'compact' } })
  const [answer] = await cut(client, name, [[0, 0n]])
  expect(errorName(answer!.errorCode)).toBe('POLICY_VIOLATION')
  const mixed = await makeTopic(client, { configs: { 'cleanup.policy': 'compact,delete' } })
  expect(await cut(client, mixed.name, [[0, 0n]])).toMatchObject([{ errorCode: 0 }])
})

test('refuses internal topics with INVALID_TOPIC_EXCEPTION', async () => {
  const client = await connect((await startBroker()).address)
  await client.call(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
  const [answer] = await cut(client, '__consumer_offsets', [[0, 0n]])
  expect(errorName(answer!.errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
})

test('keeps the start where it is through a restart', async () => {
  const disk = memoryDisk()
  const before = await startBroker({ disk })
  const first = await connect(before.address)
  const topic = await makeFilledTopic(first)
  await cut(first, topic.name, [[0, 3n]])
  await before.stop()

  const client = await connect((await startBroker({ disk })).address)
  const fetched = await fetchFrom(client, topic, { fetchOffset: 3n })
  expect(fetched).toMatchObject({ logStartOffset: 3n, highWatermark: 5n })
  expect(recordsIn(fetched)).toEqual(['3:d', '4:e'])
})

test('says so where the topic was deleted before its turn came', async () => {
  const { address } = await startBroker()
  const [client, admin] = [await connect(address), await connect(address)]
  const topic = await makeFilledTopic(client)
  const deleting = admin.call(deleteTopics, 6, {
    topics: [{ topicId: topic.topicId, name: null }],
    timeoutMs: 30_000,
  })
  const [answer] = await cut(client, topic.name, [[0, 3n]])
  await deleting
  expect(answer).toMatchObject({ errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION, lowWatermark: -1n })
})

test('moves every start of a request where rows of one partition cannot be read', async () => {
  const disk = new FaultyDisk()
  const settings = { 'odradek.tail.bytes.max': 0, 'odradek.shard.segment.bytes': 1024 * 1024 }
  const { address } = await startBroker({ disk, settings })
  const client = await connect(address)
  const [first, second] = [await makeTopic(client), await makeTopic(client)]
  for (let index = 0; index < 70; index++)
    for (const topic of [first, second]) await produceTo(client, topic, batchOf(['x'.repeat(20_000)]))
  const [oldest] = disk.names('.log')
  disk.beforeReadSync = name => {
    if (name === oldest) throw systemError('EIO')
  }
  const { topics } = await client.call(deleteRecords, 2, {
    topics: [
      { name: first.name, partitions: [{ partitionIndex: 0, offset: 3n }] },
      { name: second.name, partitions: [{ partitionIndex: 0, offset: 60n }] },
    ],
    timeoutMs: 30_000,
  })
  expect(topics.map(({ partitions }) => partitions[0])).toMatchObject([
    { errorCode: 0, lowWatermark: 3n },
    { errorCode: 0, lowWatermark: 60n },
  ])
  expect(await fetchFrom(client, second, { fetchOffset: 65n })).toMatchObject({ logStartOffset: 60n })
  disk.beforeReadSync = () => {}
  // What the sizes are to be is known again.
  await cut(client, first.name, [[0, 60n]])
})
