import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { listOffsets } from '../../src/broker/apis/02-list-offsets.ts'
import { deleteRecords } from '../../src/broker/apis/21-delete-records.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { buildBatch, type BatchDraft } from '../../src/protocol/records/record.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { batchOf, makeTopic, produceTo, uniqueName, versionsOf, type TestTopic } from '../support/requests.ts'
import { connectUnverified, TransactionalProducer } from '../support/transactional-producer.ts'
import type { WireClient } from '../support/wire-client.ts'

const nowhere = { errorCode: 0, timestamp: -1n, offset: -1n, leaderEpoch: -1 }

interface Ask {
  readonly version?: number
  readonly partitionIndex?: number
  readonly currentLeaderEpoch?: number
  readonly isolationLevel?: number
}

async function offsetAt(client: WireClient, name: string, timestamp: bigint, ask: Ask = {}) {
  const { version = 11, partitionIndex = 0, currentLeaderEpoch = -1, isolationLevel = 0 } = ask
  const answer = await client.call(listOffsets, version, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name, partitions: [{ partitionIndex, currentLeaderEpoch, timestamp }] }],
    timeoutMs: 1000,
  })
  return answer.topics[0]!.partitions[0]!
}

/** A topic with records at 100, 300 and 200 in one batch, 250 and 400 in the next. */
async function makeTimedTopic(client: WireClient): Promise<TestTopic> {
  const topic = await makeTopic(client, { partitions: 2 })
  for (const timestamps of [
    [100n, 300n, 200n],
    [250n, 400n],
  ]) {
    const records = timestamps.map(timestamp => ({ timestamp, key: null, value: Buffer.from('v') }))
    await produceTo(client, topic, buildBatch({ records }))
  }
  return topic
}

test('tells the first and the last offset, in every version', async () => {
  const client = await connectToBroker()
  const topic = await makeTimedTopic(client)
  for (const version of versionsOf(listOffsets)) {
    expect(await offsetAt(client, topic.name, -2n, { version })).toMatchObject({ errorCode: 0, offset: 0n })
    expect(await offsetAt(client, topic.name, -1n, { version })).toMatchObject({
      errorCode: 0,
      timestamp: -1n,
      offset: 5n,
      leaderEpoch: version >= 4 ? 0 : -1,
    })
  }
})

test('tells a reader of committed records the last stable offset', async () => {
  const client = await connectToBroker()
  const topic = await makeTimedTopic(client)
  expect(await offsetAt(client, topic.name, -1n, { isolationLevel: 1 })).toMatchObject({ offset: 5n })
})

test('finds the first record at or after a timestamp', async () => {
  const client = await connectToBroker()
  const { name } = await makeTimedTopic(client)
  const expected: [bigint, bigint, bigint][] = [
    [0n, 100n, 0n],
    [100n, 100n, 0n],
    [101n, 300n, 1n],
    [300n, 300n, 1n],
    [301n, 400n, 4n],
    [400n, 400n, 4n],
  ]
  for (const [asked, timestamp, offset] of expected) {
    expect(await offsetAt(client, name, asked)).toMatchObject({ timestamp, offset, leaderEpoch: 0 })
  }
})

test('answers -1 where no record is late enough', async () => {
  const client = await connectToBroker()
  const { name } = await makeTimedTopic(client)
  expect(await offsetAt(client, name, 401n)).toMatchObject(nowhere)
  expect(await offsetAt(client, name, 0n, { partitionIndex: 1 })).toMatchObject(nowhere)
})

test('finds the record with the greatest timestamp', async () => {
  const client = await connectToBroker()
  const { name } = await makeTimedTopic(client)
  expect(await offsetAt(client, name, -3n)).toMatchObject({ timestamp: 400n, offset: 4n, leaderEpoch: 0 })
  expect(await offsetAt(client, name, -3n, { partitionIndex: 1 })).toMatchObject(nowhere)
})

test('has everything in its local log and nothing in tiers', async () => {
  const client = await connectToBroker()
  const { name } = await makeTimedTopic(client)
  expect(await offsetAt(client, name, -4n)).toMatchObject({ offset: 0n, leaderEpoch: 0 })
  expect(await offsetAt(client, name, -5n)).toMatchObject(nowhere)
  expect(await offsetAt(client, name, -6n)).toMatchObject(nowhere)
})

test('knows each special timestamp from the version on that brought it', async () => {
  const client = await connectToBroker()
  const { name } = await makeTimedTopic(client)
  const since: [bigint, number][] = [
    [-3n, 7],
    [-4n, 8],
    [-5n, 9],
    [-6n, 11],
  ]
  for (const [timestamp, version] of since) {
    expect(await offsetAt(client, name, timestamp, { version })).toMatchObject({ errorCode: 0 })
    const before = await offsetAt(client, name, timestamp, { version: version - 1 })
    expect(errorName(before.errorCode)).toBe('UNSUPPORTED_VERSION')
  }
  expect(errorName((await offsetAt(client, name, -7n)).errorCode)).toBe('UNSUPPORTED_VERSION')
})

test('begins where records were deleted up to', async () => {
  const client = await connectToBroker()
  const { name } = await makeTimedTopic(client)
  await client.call(deleteRecords, 2, {
    topics: [{ name, partitions: [{ partitionIndex: 0, offset: 3n }] }],
    timeoutMs: 1000,
  })
  expect(await offsetAt(client, name, -2n)).toMatchObject({ offset: 3n, leaderEpoch: 0 })
  expect(await offsetAt(client, name, 0n)).toMatchObject({ offset: 3n, timestamp: 250n })
})

test('checks the leader epoch that a client believes in', async () => {
  const client = await connectToBroker()
  const { name } = await makeTimedTopic(client)
  expect(await offsetAt(client, name, -1n, { currentLeaderEpoch: 0 })).toMatchObject({ errorCode: 0 })
  const ahead = await offsetAt(client, name, -1n, { currentLeaderEpoch: 5 })
  expect(errorName(ahead.errorCode)).toBe('UNKNOWN_LEADER_EPOCH')
})

test('answers UNKNOWN_TOPIC_OR_PARTITION for what is not there', async () => {
  const client = await connectToBroker()
  const { name } = await makeTimedTopic(client)
  const absent = [
    await offsetAt(client, name, -1n, { partitionIndex: 2 }),
    await offsetAt(client, uniqueName(), -1n),
  ]
  for (const { errorCode, offset } of absent) {
    expect(errorName(errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(offset).toBe(-1n)
  }
})

test('refuses a partition that is named twice with INVALID_REQUEST, and answers the others', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { partitions: 2 })
  await produceTo(client, topic, batchOf(['a']), { index: 1 })
  const { topics } = await client.call(listOffsets, 11, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: topic.name,
        partitions: [0, 0, 1].map(partitionIndex => ({ partitionIndex, timestamp: -1n })),
      },
    ],
    timeoutMs: 1000,
  })
  const found = topics[0]!.partitions.map(each => [each.partitionIndex, errorName(each.errorCode)])
  expect(new Map(found as [number, string][])).toEqual(
    new Map([
      [0, 'INVALID_REQUEST'],
      [1, 'NONE'],
    ]),
  )
  expect(found.length).toBe(2)
})

test('tells the epoch of each offset after a restart', async () => {
  const disk = memoryDisk()
  const before = await startBroker({ disk })
  const topic = await makeTimedTopic(await connect(before.address))
  await before.stop()

  const client = await connect((await startBroker({ disk })).address)
  const records = [{ timestamp: 500n, key: null, value: Buffer.from('v') }]
  await produceTo(client, topic, buildBatch({ records }))
  expect(await offsetAt(client, topic.name, -2n)).toMatchObject({ offset: 0n, leaderEpoch: 0 })
  expect(await offsetAt(client, topic.name, 350n)).toMatchObject({ offset: 4n, leaderEpoch: 0 })
  expect(await offsetAt(client, topic.name, 450n)).toMatchObject({ offset: 5n, leaderEpoch: 1 })
  expect(await offsetAt(client, topic.name, -3n)).toMatchObject({ offset: 5n, leaderEpoch: 1 })
  expect(await offsetAt(client, topic.name, -1n)).toMatchObject({ offset: 6n, leaderEpoch: 1 })
  await client.call(deleteRecords, 2, {
    topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset: 5n }] }],
    timeoutMs: 1000,
  })
  expect(await offsetAt(client, topic.name, -2n)).toMatchObject({ offset: 5n, leaderEpoch: 1 })
  const fenced = await offsetAt(client, topic.name, -1n, { currentLeaderEpoch: 0 })
  expect(errorName(fenced.errorCode)).toBe('FENCED_LEADER_EPOCH')
})

function recordsAt(timestamp: bigint): Pick<BatchDraft, 'records'> {
  return { records: [{ key: null, value: Buffer.from('v'), timestamp }] }
}

test('tells a reader of committed records of nothing behind the last stable offset', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  const [first, second] = [
    await TransactionalProducer.on(client, topic),
    await TransactionalProducer.on(client, topic),
  ]
  await produceTo(client, topic, buildBatch(recordsAt(100n)))
  await first.write(['v'], recordsAt(200n))
  await second.write(['v'], recordsAt(300n))
  const committed = { isolationLevel: 1 }
  expect(await offsetAt(client, topic.name, -1n, committed)).toMatchObject({ offset: 1n })
  expect(await offsetAt(client, topic.name, -1n)).toMatchObject({ offset: 3n })
  expect(await offsetAt(client, topic.name, 50n, committed)).toMatchObject({ offset: 0n, timestamp: 100n })
  expect(await offsetAt(client, topic.name, 200n, committed)).toMatchObject(nowhere)
  expect(await offsetAt(client, topic.name, 200n)).toMatchObject({ offset: 1n, timestamp: 200n })
  expect(await offsetAt(client, topic.name, -3n, committed)).toMatchObject(nowhere)
  await first.end('ABORT')
  expect(await offsetAt(client, topic.name, -1n, committed)).toMatchObject({ offset: 2n })
  expect(await offsetAt(client, topic.name, 200n, committed)).toMatchObject({ offset: 1n })
  await second.end('COMMIT')
  expect(await offsetAt(client, topic.name, -1n, committed)).toMatchObject({ offset: 5n })
})
