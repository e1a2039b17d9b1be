import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { createPartitions } from '../../src/broker/apis/37-create-partitions.ts'
import { incrementalAlterConfigs } from '../../src/broker/apis/44-incremental-alter-configs.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { decode } from '../../src/protocol/compile.ts'
import { OffsetCommitKey, OffsetCommitValue } from '../../src/protocol/messages/consumer-offsets-records.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import { connect, startBroker } from '../support/broker.ts'
import { beatAs, joinConsumers } from '../support/consumer-requests.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { commitTo } from '../support/group-requests.ts'
import { fetchFrom, type TestTopic } from '../support/requests.ts'
import { TestProducer } from '../support/transactions.ts'
import type { WireClient } from '../support/wire-client.ts'
import { makeVlsnTopic, viewOf, write } from './support.ts'

const groupId = 'readers'
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)

/** As `kafka-configs.sh --alter --entity-type groups` does; gives the error. */
async function choose(client: WireClient, strategy: string): Promise<string> {
  const configs = [{ name: 'odradek.commit.strategy', configOperation: 0, value: strategy }]
  const resource = { resourceType: 32, resourceName: groupId, configs }
  const { responses } = await client.call(incrementalAlterConfigs, 1, {
    resources: [resource],
    validateOnly: false,
  })
  return errorName(responses[0]!.errorCode)
}

/** Where the group is told to go on: partitions of the topic, and the view behind them. */
async function position(client: WireClient, topic: TestTopic, partitionCount = 3): Promise<number[]> {
  const topics = [
    { name: topic.name, partitionIndexes: range(0, partitionCount) },
    { name: viewOf(topic).name, partitionIndexes: [0] },
  ]
  const { groups } = await client.call(offsetFetch, 8, { groups: [{ groupId, topics }] })
  return groups[0]!.topics.flatMap(({ partitions }) => partitions.map(each => Number(each.committedOffset)))
}

/** An unmodified consumer, which commits each record; killed after `count` of them, it commits nothing more. */
async function consume(address: string, topic: string, count: number): Promise<number[]> {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20 } })
  const consumer = kafka.consumer({ groupId, minBytes: 1, maxWaitTimeInMs: 100, sessionTimeout: 6_000 })
  const read: number[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          if (read.length >= count) return
          read.push(Number(message.key!.readBigInt64BE()))
          const offset = String(BigInt(message.offset) + 1n)
          await consumer.commitOffsets([{ topic, partition, offset }])
          if (read.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return read
}

test.each([
  ['per_partition', 0],
  ['hybrid', 0],
  ['vlsn', 60],
] as const)(
  'under %s a client that knows nothing of it is stopped, resumes and misses nothing, partitions added or not',
  async (strategy, repeatsMax) => {
    const disk = new FaultyDisk()
    const first = await startBroker({ disk })
    const client = await connect(first.address)
    const topic = await makeVlsnTopic(client)
    expect(await choose(client, strategy)).toBe('NONE')
    await write(client, topic, range(0, 60))
    const before = await consume(first.address, topic.name, 35)
    const told = await position(client, topic)
    await first.stop()

    const second = await startBroker({ disk })
    const again = await connect(second.address)
    if (strategy !== 'per_partition') expect(await position(again, topic)).toEqual(told)
    const added = await again.call(createPartitions, 3, {
      topics: [{ name: topic.name, count: 4, assignments: null }],
      timeoutMs: 1000,
      validateOnly: false,
    })
    expect(added.results[0]!.errorCode).toBe(0)
    await write(again, topic, range(60, 100), { partitions: 4 })
    const repeats = strategy === 'vlsn' ? before.filter(vlsn => vlsn >= told[3]!).length : 0
    const after = await consume(second.address, topic.name, 100 - 35 + repeats)
    expect([...new Set([...before, ...after])].toSorted((a, b) => a - b)).toEqual(range(0, 100))
    expect(repeats).toBeLessThanOrEqual(repeatsMax)
    // Where there is a number, the view goes on behind everything.
    const number = (await position(again, topic, 4))[4]
    expect(number).toBe(strategy === 'per_partition' ? -1 : 100)
  },
  60_000,
)

test('the number is an ordinary offset in __consumer_offsets, one record for a commit of all partitions', async () => {
  const { address } = await startBroker()
  const client = await connect(address)
  const topic = await makeVlsnTopic(client)
  await write(client, topic, range(0, 30))
  expect(await choose(client, 'nothing')).toBe('INVALID_CONFIG')
  expect(await choose(client, 'vlsn')).toBe('NONE')
  expect(await commitTo(client, groupId, topic, { 0: 10n, 1: 10n, 2: 4n })).toEqual(['NONE', 'NONE', 'NONE'])
  expect(await position(client, topic)).toEqual([5, 5, 4, 14])
  const found: object[] = []
  for (let index = 0; index < 50; index++) {
    const offsets = { name: '__consumer_offsets', topicId: topic.topicId }
    const { records } = await fetchFrom(client, offsets, { version: 11, fetchOffset: 0n, partition: index })
    for (const batch of batchesIn(records ?? Buffer.alloc(0))) {
      for (const { key, value } of readRecords(batch)) {
        if (key!.readInt16BE(0) !== 1) continue
        const { partition, ...where } = decode(OffsetCommitKey, 0, key!.subarray(2))
        const { offset, metadata, leaderEpoch } = decode(
          OffsetCommitValue,
          value!.readInt16BE(0),
          value!.subarray(2),
        )
        found.push({ ...where, partition, offset, metadata, leaderEpoch })
      }
    }
  }
  const number = { group: groupId, topic: viewOf(topic).name, partition: 0, offset: 14n, leaderEpoch: -1 }
  expect(found).toEqual([{ ...number, metadata: 'odradek.commit.strategy' }])
})

/** Where a group is told to be that has committed `ahead`: VLSN 14 is the first that it has left open, two partitions are beyond. */
const ahead = { 0: 10n, 1: 10n, 2: 4n }
const toldAhead = { vlsn: [5, 5, 4, 14], hybrid: [10, 10, 4, 14] }
const strategies = ['vlsn', 'hybrid'] as const

/** A broker on a disk of its own, with a topic of 30 records and a group that keeps its position by `strategy`. */
async function beginWith(strategy: string) {
  const disk = new FaultyDisk()
  const { address, stop } = await startBroker({ disk })
  const client = await connect(address)
  const topic = await makeVlsnTopic(client)
  await write(client, topic, range(0, 30))
  expect(await choose(client, strategy)).toBe('NONE')
  return { disk, stop, client, topic }
}

/** Who commits. */
const atEpoch = (epoch: number) => ({ memberId: 'c', generationIdOrMemberEpoch: epoch })

test.each(strategies)(
  'under %s members of the consumer protocol commit by their epoch, and resume',
  async strategy => {
    const { disk, stop, client, topic } = await beginWith(strategy)
    const { memberEpoch, errorCode } = await joinConsumers(client, groupId, 'c', [topic.name])
    expect(errorCode).toBe(0)
    expect(await commitTo(client, groupId, topic, ahead, atEpoch(memberEpoch))).toEqual([
      'NONE',
      'NONE',
      'NONE',
    ])
    expect(await position(client, topic)).toEqual(toldAhead[strategy])
    expect(await commitTo(client, groupId, topic, { 2: 9n }, atEpoch(memberEpoch + 1))).toEqual([
      'STALE_MEMBER_EPOCH',
    ])
    expect(await commitTo(client, groupId, topic, { 2: 9n })).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(await position(client, topic)).toEqual(toldAhead[strategy])
    await stop()

    const again = await connect((await startBroker({ disk })).address)
    expect(await position(again, topic)).toEqual(toldAhead[strategy])
    // Its place in the group was kept, and its epoch with it.
    expect(await beatAs(again, groupId, 'c', memberEpoch)).toMatchObject({ errorCode: 0 })
    expect(await commitTo(again, groupId, topic, { 2: 9n }, atEpoch(memberEpoch))).toEqual(['NONE'])
    // What was committed above the number, and not by itself, is to be committed again.
    expect(await position(again, topic)).toEqual({ vlsn: [5, 5, 5, 15], hybrid: [10, 10, 9, 29] }[strategy])
  },
)

test.each(strategies)(
  'under %s offsets of a transaction count when it is committed, restarts included, and not when it is aborted',
  async strategy => {
    const { disk, stop, client, topic } = await beginWith(strategy)
    expect(await commitTo(client, groupId, topic, { 0: 1n, 1: 1n, 2: 1n })).toEqual(['NONE', 'NONE', 'NONE'])
    const before = [1, 1, 1, 3]
    const offsets = Object.fromEntries(
      Object.entries(ahead).map(([index, offset]) => [`${topic.name}-${index}`, Number(offset)]),
    )
    const producer = await TestProducer.open(client)
    expect(new Set(await producer.commitOffsets(groupId, offsets))).toEqual(new Set(['NONE']))
    expect(await position(client, topic)).toEqual(before)
    expect(await producer.end('ABORT')).toBe('NONE')
    expect(await position(client, topic)).toEqual(before)
    expect(new Set(await producer.commitOffsets(groupId, offsets))).toEqual(new Set(['NONE']))
    await stop()

    const second = await startBroker({ disk })
    const again = await connect(second.address)
    expect(await position(again, topic)).toEqual(before)
    Object.assign(producer, { client: again })
    expect(await producer.end('COMMIT')).toBe('NONE')
    expect(await position(again, topic)).toEqual(toldAhead[strategy])
    await second.stop()
    const third = await connect((await startBroker({ disk })).address)
    expect(await position(third, topic)).toEqual(toldAhead[strategy])
  },
)

test('a group of living members keeps its position through one strategy after another', async () => {
  const { address } = await startBroker()
  const client = await connect(address)
  const topic = await makeVlsnTopic(client)
  await write(client, topic, range(0, 30))
  const { memberEpoch } = await joinConsumers(client, groupId, 'c', [topic.name])
  const commit = (offsets: Record<number, bigint>) =>
    commitTo(client, groupId, topic, offsets, atEpoch(memberEpoch))
  expect(await commit(ahead)).toEqual(['NONE', 'NONE', 'NONE'])
  const seen: string[] = []
  const look = async (when: string): Promise<void> => {
    expect(await beatAs(client, groupId, 'c', memberEpoch)).toMatchObject({ errorCode: 0 })
    seen.push(`${when}: ${(await position(client, topic)).join(' ')}`)
  }
  let offset = 4n
  for (const strategy of ['hybrid', 'vlsn', 'per_partition', 'vlsn', 'hybrid', 'per_partition']) {
    expect(await choose(client, strategy)).toBe('NONE')
    await look(strategy)
    expect(await commit({ 2: ++offset })).toEqual(['NONE'])
    await look(`2 at ${offset}`)
  }
  // Partitions 0 and 1 are at 10, which one number has no room for: they are told the first record that it leaves open.
  expect(seen).toEqual([
    'hybrid: 10 10 4 14',
    '2 at 5: 10 10 5 17',
    'vlsn: 6 6 5 17',
    '2 at 6: 7 7 6 20',
    'per_partition: 7 7 6 20',
    '2 at 7: 7 7 7 20',
    'vlsn: 7 7 7 21',
    '2 at 8: 9 9 8 26',
    'hybrid: 9 9 8 26',
    '2 at 9: 10 10 9 29',
    'per_partition: 10 10 9 29',
    '2 at 10: 10 10 10 29',
  ])
})
