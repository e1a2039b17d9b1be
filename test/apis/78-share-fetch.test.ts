import { expect, test } from 'vitest'
import { describeShareGroupOffsets } from '../../src/broker/apis/90-describe-share-group-offsets.ts'
import { shareFetch } from '../../src/broker/apis/78-share-fetch.ts'
import { acknowledgeTypes } from '../../src/groups/share/acknowledgement.ts'
import { connect, startBroker } from '../support/broker.ts'
import { batchOf, makeTopic, produceTo, strangeTopicId, uniqueName, versionsOf } from '../support/requests.ts'
import { TransactionalProducer, unverified } from '../support/transactional-producer.ts'
import { configure, joinShare, ShareReader, sharePlace } from '../support/share-requests.ts'

const { accept, release, reject, renew } = acknowledgeTypes

async function reader(place: Awaited<ReturnType<typeof sharePlace>>, memberId: string): Promise<ShareReader> {
  const client = await place.open()
  await joinShare(client, place.groupId, memberId, [place.topic])
  return new ShareReader(client, place, memberId)
}

test('hands out whole batches as they were stored, in every version', async () => {
  for (const version of versionsOf(shareFetch)) {
    const place = await sharePlace([['a', 'b', 'c'], ['d']])
    const member = await reader(place, 'm')
    const answer =
      version === 1
        ? await member.fetch([], { maxWaitMs: 5_000, maxRecords: 2 }, 1)
        : await member.take({ maxRecords: 2 })
    expect(answer).toMatchObject({ error: 'NONE', acquired: [[0, 2, 1]], values: ['a', 'b', 'c'] })
    expect(answer.lockMs).toBe(30_000)
    expect(await member.take()).toMatchObject({ acquired: [[3, 3, 1]], values: ['d'] })
  }
})

test('divides records between members, each record to one', async () => {
  const place = await sharePlace([
    ['a', 'b'],
    ['c', 'd'],
  ])
  const [first, second] = [await reader(place, 'm1'), await reader(place, 'm2')]
  expect((await first.take({ maxRecords: 1 })).acquired).toEqual([[0, 1, 1]])
  expect((await second.take()).acquired).toEqual([[2, 3, 1]])
  expect((await first.fetch()).acquired).toEqual([])
  expect((await second.fetch()).acquired).toEqual([])
})

test('keeps to the number of records where that is asked for', async () => {
  const place = await sharePlace([['a', 'b', 'c']])
  const member = await reader(place, 'm')
  const answer = await member.take({ maxRecords: 2, shareAcquireMode: 1 })
  expect(answer).toMatchObject({ acquired: [[0, 1, 1]], values: ['a', 'b', 'c'] })
})

test('settles what is said along with a fetch: accepted, given back, given up', async () => {
  const place = await sharePlace([['a', 'b', 'c', 'd']])
  const member = await reader(place, 'm')
  await member.take()
  const answer = await member.fetch([[0, 3, accept, release, reject, accept]], { maxWaitMs: 500 })
  expect(answer.acknowledgeError).toBe('NONE')
  const again = answer.acquired.length > 0 ? answer : await member.take()
  expect(again.acquired).toEqual([[1, 1, 2]])
  expect((await member.fetch([[1, 1, accept]])).acknowledgeError).toBe('NONE')
  expect((await member.fetch([[1, 1, accept]])).acknowledgeError).not.toBe('INVALID_REQUEST')
})

test('refuses what is said of records that the member does not hold, and what makes no sense', async () => {
  const place = await sharePlace([
    ['a', 'b'],
    ['c', 'd'],
  ])
  const [first, second] = [await reader(place, 'm1'), await reader(place, 'm2')]
  await first.take({ maxRecords: 1 })
  await second.take()
  expect((await second.fetch([[0, 1, accept]])).acknowledgeError).toBe('INVALID_RECORD_STATE')
  expect((await second.fetch([[2, 9, accept]])).acknowledgeError).toBe('INVALID_REQUEST')
  expect((await second.fetch([[3, 2, accept]])).acknowledgeError).toBe('INVALID_REQUEST')
  expect((await second.fetch([[2, 3, accept, 9]])).acknowledgeError).toBe('INVALID_REQUEST')
  expect((await second.fetch([[2, 3, accept, accept, accept]])).acknowledgeError).toBe('INVALID_REQUEST')
  expect(
    (
      await second.fetch([
        [2, 3, accept],
        [2, 3, accept],
      ])
    ).acknowledgeError,
  ).toBe('INVALID_REQUEST')
  expect((await second.fetch([[2, 3, renew]])).acknowledgeError).toBe('INVALID_REQUEST')
})

test('waits until records come, and until some are given back', async () => {
  const place = await sharePlace([['a']])
  const [first, second] = [await reader(place, 'm1'), await reader(place, 'm2')]
  await first.take()
  await second.fetch()
  const waiting = second.fetch([], { maxWaitMs: 20_000 })
  expect(await first.acknowledge([[0, 0, release]])).toBe('NONE')
  expect((await waiting).acquired).toEqual([[0, 0, 2]])
  const again = second.fetch([], { maxWaitMs: 20_000 })
  await produceTo(place.client, place.topic, batchOf(['b']))
  expect((await again).acquired).toEqual([[1, 1, 1]])
})

test('frees what a member holds as its session or its connection ends', async () => {
  const place = await sharePlace([['a'], ['b']])
  const [leaver, dropped, heir] = [
    await reader(place, 'm1'),
    await reader(place, 'm2'),
    await reader(place, 'm3'),
  ]
  await leaver.take({ maxRecords: 1 })
  await dropped.take({ maxRecords: 1 })
  await heir.fetch()
  const waiting = heir.fetch([], { maxWaitMs: 20_000, minBytes: 1 })
  leaver.epoch = -1
  expect((await leaver.fetch([], { topics: [] })).error).toBe('NONE')
  expect((await waiting).acquired).toEqual([[0, 0, 2]])
  const again = heir.fetch([], { maxWaitMs: 20_000 })
  dropped.client.close()
  expect((await again).acquired).toEqual([[1, 1, 2]])
})

test('keeps sessions in step', async () => {
  const place = await sharePlace([['a']])
  const member = await reader(place, 'm')
  member.epoch = 5
  expect((await member.fetch()).error).toBe('SHARE_SESSION_NOT_FOUND')
  member.epoch = 0
  expect((await member.fetch([[0, 0, accept]])).error).toBe('INVALID_REQUEST')
  expect((await member.fetch()).error).toBe('NONE')
  member.epoch = 7
  expect((await member.fetch()).error).toBe('INVALID_SHARE_SESSION_EPOCH')
  member.epoch = 0
  expect((await member.fetch()).error).toBe('NONE')
  const isRenewAck = true
  expect((await member.fetch([], { isRenewAck })).error).toBe('INVALID_REQUEST')
})

test('reads no more of a partition that the session forgot', async () => {
  const place = await sharePlace([['a']])
  const member = await reader(place, 'm')
  const forgottenTopicsData = [{ topicId: place.topic.topicId, partitions: [0] }]
  expect((await member.fetch([], { topics: [] })).acquired).toEqual([])
  await member.fetch([], { forgottenTopicsData })
  expect((await member.fetch()).acquired).toEqual([])
})

function ask(topicId: string, partitionIndex: number) {
  return { topics: [{ topicId, partitions: [{ partitionIndex, acknowledgementBatches: [] }] }] }
}

test('names topics and partitions that are not there', async () => {
  const place = await sharePlace()
  const member = await reader(place, 'm')
  // Apache Kafka 4.3.1 answers UNKNOWN_SERVER_ERROR, and goes on to do so.
  const strange = await member.fetch([], ask(strangeTopicId, 0))
  if (process.env['KAFKA_BOOTSTRAP'] === undefined) expect(strange.partitionError).toBe('UNKNOWN_TOPIC_ID')
  member.epoch = 0
  expect((await member.fetch([], ask(place.topic.topicId, 9))).partitionError).toBe(
    'UNKNOWN_TOPIC_OR_PARTITION',
  )
})

test('has no more sessions than group.share.max.share.sessions', async () => {
  const { address } = await startBroker({ settings: { 'group.share.max.share.sessions': 1 } })
  const open = () => connect(address)
  const client = await open()
  const place = { client, open, groupId: uniqueName('share'), topic: await makeTopic(client) }
  await configure(client, place.groupId, { 'share.auto.offset.reset': 'earliest' })
  const [first, second] = [await reader(place, 'm1'), await reader(place, 'm2')]
  expect((await first.fetch()).error).toBe('NONE')
  expect((await second.fetch()).error).toBe('SHARE_SESSION_LIMIT_REACHED')
  first.epoch = -1
  await first.fetch([], { topics: [] })
  expect((await second.fetch()).error).toBe('NONE')
})

test('stops at as many records in flight as share.partition.max.record.locks', async () => {
  const values = Array.from({ length: 150 }, (_, index) => `${index}`)
  const place = await sharePlace([values], { configs: { 'share.partition.max.record.locks': '100' } })
  const member = await reader(place, 'm')
  expect((await member.take()).acquired).toEqual([[0, 149, 1]])
  await produceTo(place.client, place.topic, batchOf(['more']))
  expect((await member.fetch()).acquired).toEqual([])
  expect(await member.acknowledge([[0, 59, accept]])).toBe('NONE')
  expect((await member.take()).acquired).toEqual([[150, 150, 1]])
})

test('hands out what is committed, and nothing else, where the group reads so', async () => {
  const { address } = await startBroker(unverified)
  const open = () => connect(address)
  const client = await open()
  const place = { client, open, groupId: uniqueName('share'), topic: await makeTopic(client) }
  const { groupId, topic } = place
  await configure(client, groupId, {
    'share.auto.offset.reset': 'earliest',
    'share.isolation.level': 'read_committed',
  })
  const member = await reader(place, 'm')
  const producer = await TransactionalProducer.on(client, topic)
  const other = await TransactionalProducer.on(client, topic)
  await producer.write(['a', 'b'])
  await other.write(['c'])
  expect((await member.fetch()).acquired).toEqual([])
  await producer.end('ABORT')
  await other.end('COMMIT')
  // The markers are at 3 and 4; they are handed out as offsets at which there is no record.
  expect(await member.take()).toMatchObject({ acquired: [[2, 4, 1]] })
  await producer.write(['d'])
  await producer.end('ABORT')
  expect((await member.fetch()).acquired).toEqual([[6, 6, 1]])
  expect(await member.acknowledge([[2, 6, accept]])).toBe('INVALID_RECORD_STATE')
  expect(await member.acknowledge([[2, 4, accept]])).toBe('NONE')
  expect(await member.acknowledge([[6, 6, acknowledgeTypes.gap]])).toBe('NONE')
  const { groups } = await client.call(describeShareGroupOffsets, 1, { groups: [{ groupId, topics: null }] })
  expect(groups[0]!.topics[0]!.partitions[0]).toMatchObject({ startOffset: 7n, lag: 0n })
})
