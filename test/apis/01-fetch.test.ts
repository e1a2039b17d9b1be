import { expect, test } from 'vitest'
import type { DiskFile, OpenOptions } from '../../src/base/disk.ts'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { produce } from '../../src/broker/apis/00-produce.ts'
import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { createTopics } from '../../src/broker/apis/19-create-topics.ts'
import { deleteTopics } from '../../src/broker/apis/20-delete-topics.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import {
  batchOf,
  fetchFrom,
  fetchOf,
  makeTopic,
  noTopicId,
  produceTo,
  recordsIn,
  strangeTopicId,
  versionsOf,
  type FetchPartition,
  type TestTopic,
} from '../support/requests.ts'
import { connectUnverified, TransactionalProducer, unverified } from '../support/transactional-producer.ts'
import type { WireClient } from '../support/wire-client.ts'

const hourMs = 3_600_000

test('gives the records of a partition and where it ends, in every version', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  await produceTo(client, topic, batchOf(['a', 'b']))
  for (const version of versionsOf(fetch)) {
    const fetched = await fetchFrom(client, topic, { version })
    expect(fetched).toMatchObject({ errorCode: 0, highWatermark: 2n, lastStableOffset: 2n })
    expect(recordsIn(fetched)).toEqual(['0:a', '1:b'])
  }
})

test('gives the same to a reader of committed records', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  await produceTo(client, topic, batchOf(['a']))
  const answer = await client.call(fetch, 17, fetchOf(topic, [{}], { isolationLevel: 1 }))
  expect(recordsIn(answer.responses[0]!.partitions[0]!)).toEqual(['0:a'])
})

test('gives the whole batch to whoever asks for its middle', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  await produceTo(client, topic, batchOf(['a', 'b', 'c']))
  await produceTo(client, topic, batchOf(['d']))
  const fetched = await fetchFrom(client, topic, { fetchOffset: 1n })
  expect(recordsIn(fetched)).toEqual(['0:a', '1:b', '2:c', '3:d'])
})

test('gives nothing at the end and OFFSET_OUT_OF_RANGE beyond it', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  await produceTo(client, topic, batchOf(['a']))
  const atEnd = await fetchFrom(client, topic, { fetchOffset: 1n })
  expect(atEnd).toMatchObject({ errorCode: 0, highWatermark: 1n })
  expect(recordsIn(atEnd)).toEqual([])
  const beyond = await fetchFrom(client, topic, { fetchOffset: 2n })
  expect(errorName(beyond.errorCode)).toBe('OFFSET_OUT_OF_RANGE')
  expect(beyond.highWatermark).toBe(-1n)
})

test('gives the first batch whole even where it is larger than every limit, and none after it', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { partitions: 2 })
  for (const index of [0, 1]) {
    for (const letter of ['a', 'b']) {
      await produceTo(client, topic, batchOf([letter.repeat(1000)]), { index })
    }
  }
  const partitions = [
    { partition: 0, partitionMaxBytes: 10 },
    { partition: 1, partitionMaxBytes: 10 },
  ]
  const small = await client.call(fetch, 17, fetchOf(topic, partitions, { maxBytes: 10 }))
  const lengths = small.responses.flatMap(each =>
    each.partitions.map(({ records }) => [...batchesIn(records!)].length),
  )
  expect(lengths.toSorted()).toEqual([0, 1])
})

test('stays within the bytes of a partition with whole batches', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const batch = batchOf(['x'.repeat(1000)])
  for (let index = 0; index < 5; index++) await produceTo(client, topic, batch)
  const fetched = await fetchFrom(client, topic, { partitionMaxBytes: batch.length * 2 })
  expect([...batchesIn(fetched.records!)].length).toBe(2)
})

test('waits for bytes until some are produced', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = await connect(await addressOf(client))
  const waiting = fetchFrom(client, topic, { maxWaitMs: hourMs })
  await produceTo(producer, topic, batchOf(['awaited']))
  expect(recordsIn(await waiting)).toEqual(['0:awaited'])
})

test('waits for as many bytes as were asked for', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const batch = batchOf(['half'])
  const request = fetchOf(topic, [{}], { maxWaitMs: hourMs, minBytes: batch.length * 2 })
  const producer = await connect(await addressOf(client))
  const waiting = client.call(fetch, 17, request)
  await produceTo(producer, topic, batch)
  await produceTo(producer, topic, batch)
  expect(recordsIn((await waiting).responses[0]!.partitions[0]!)).toEqual(['0:half', '1:half'])
})

test('answers with nothing when nothing comes', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const fetched = await fetchFrom(client, topic, { maxWaitMs: 20 })
  expect(fetched.errorCode).toBe(0)
  expect(recordsIn(fetched)).toEqual([])
})

test('does not wait where there is an error to tell', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const fetched = await fetchFrom(client, topic, { fetchOffset: 5n, maxWaitMs: hourMs })
  expect(errorName(fetched.errorCode)).toBe('OFFSET_OUT_OF_RANGE')
})

test('waits until its time is up, and not longer', async () => {
  const clock = new ManualClock()
  const client = await connect((await startBroker({ clock })).address)
  const topic = await makeTopic(client)
  let isAnswered = false
  const timerCount = clock.timerCount
  const waiting = fetchFrom(client, topic, { maxWaitMs: hourMs }).finally(() => (isAnswered = true))
  while (clock.timerCount === timerCount) await settled()
  await clock.advance(hourMs - 1)
  expect(isAnswered).toBe(false)
  await clock.advance(1)
  expect(recordsIn(await waiting)).toEqual([])
})

test('forgets a waiting fetch when its client hangs up', async () => {
  const clock = new ManualClock()
  const client = await connect((await startBroker({ clock })).address)
  const topic = await makeTopic(client)
  const timerCount = clock.timerCount
  const waiting = fetchFrom(client, topic, { maxWaitMs: hourMs })
  while (clock.timerCount === timerCount) await settled()
  await expect(Promise.all([waiting, client.close()])).rejects.toThrow('closed')
  while (clock.timerCount > timerCount) await settled()
})

test('tells partitions and topics that are not there from those that are', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const codeOf = async (asked: TestTopic, partition: FetchPartition & { version?: number } = {}) =>
    errorName((await fetchFrom(client, asked, partition)).errorCode)
  expect(await codeOf(topic, { partition: 1 })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await codeOf({ name: `${topic.name}-x`, topicId: noTopicId }, { version: 12 })).toBe(
    'UNKNOWN_TOPIC_OR_PARTITION',
  )
  expect(await codeOf({ name: '', topicId: strangeTopicId })).toBe('UNKNOWN_TOPIC_ID')
  expect(await codeOf({ name: '', topicId: noTopicId })).toBe('UNKNOWN_TOPIC_ID')
})

test('checks the leader epoch that a client believes in', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const { leaderEpoch } = await leaderOf(client, topic)
  const codeOf = async (currentLeaderEpoch: number) =>
    errorName((await fetchFrom(client, topic, { currentLeaderEpoch })).errorCode)
  expect(await codeOf(leaderEpoch)).toBe('NONE')
  expect(await codeOf(leaderEpoch + 1)).toBe('UNKNOWN_LEADER_EPOCH')
})

test('checks the epoch of the last record that a client has (KIP-595)', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  await produceTo(client, topic, batchOf(['a']))
  const { leaderEpoch } = await leaderOf(client, topic)
  const known = await fetchFrom(client, topic, { fetchOffset: 1n, lastFetchedEpoch: leaderEpoch })
  expect(known).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: -1, endOffset: -1n } })
  const unknown = await fetchFrom(client, topic, { fetchOffset: 1n, lastFetchedEpoch: leaderEpoch + 1 })
  expect(errorName(unknown.errorCode)).toBe('OFFSET_OUT_OF_RANGE')
})

test('tells a reader whose log parted from this one where that was', async () => {
  const disk = memoryDisk()
  const before = await startBroker({ disk })
  const topic = await makeTopic(await connect(before.address))
  await produceTo(await connect(before.address), topic, batchOf(['a', 'b']))
  await before.stop()

  const client = await connect((await startBroker({ disk })).address)
  await produceTo(client, topic, batchOf(['c']))
  const fenced = await fetchFrom(client, topic, { currentLeaderEpoch: 0 })
  expect(errorName(fenced.errorCode)).toBe('FENCED_LEADER_EPOCH')
  const parted = await fetchFrom(client, topic, { fetchOffset: 3n, lastFetchedEpoch: 0 })
  expect(parted).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 0, endOffset: 2n } })
  expect(recordsIn(parted)).toEqual([])
})

test('answers only what is new within a session', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { partitions: 2 })
  const both = [{ partition: 0 }, { partition: 1 }]
  const first = await client.call(fetch, 17, fetchOf(topic, both, { sessionEpoch: 0 }))
  expect(first.sessionId).not.toBe(0)
  expect(partitionsIn(first)).toEqual([0, 1])

  const { sessionId } = first
  const next = (sessionEpoch: number) =>
    client.call(fetch, 17, { ...fetchOf(topic, [], { sessionId, sessionEpoch }), topics: [] })
  expect(partitionsIn(await next(1))).toEqual([])
  await produceTo(client, topic, batchOf(['new']), { index: 1 })
  expect(partitionsIn(await next(2))).toEqual([1])
})

test('takes partitions out of a session and puts others in', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { partitions: 2 })
  for (const index of [0, 1]) await produceTo(client, topic, batchOf(['x']), { index })
  const first = await client.call(fetch, 17, fetchOf(topic, [{ partition: 0 }], { sessionEpoch: 0 }))
  const second = await client.call(
    fetch,
    17,
    fetchOf(topic, [{ partition: 1 }], {
      sessionId: first.sessionId,
      sessionEpoch: 1,
      forgottenTopicsData: [{ topic: topic.name, topicId: topic.topicId, partitions: [0] }],
    }),
  )
  expect(partitionsIn(second)).toEqual([1])
})

test('ends a session from which all partitions are taken, and one that is asked for as well stays out', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { partitions: 2 })
  for (const index of [0, 1]) await produceTo(client, topic, batchOf(['x']), { index })
  const both = [{ partition: 0 }, { partition: 1 }]
  const { sessionId } = await client.call(fetch, 17, fetchOf(topic, both, { sessionEpoch: 0 }))
  const take = (partition: number, sessionEpoch: number, asked: FetchPartition[] = []) => {
    const { name, topicId } = topic
    const forgottenTopicsData = [{ topic: name, topicId, partitions: [partition] }]
    return client.call(
      fetch,
      17,
      fetchOf(topic, asked, { sessionId, sessionEpoch, forgottenTopicsData, maxWaitMs: 1 }),
    )
  }
  expect(partitionsIn(await take(0, 1, [{ partition: 0 }]))).toEqual([1])
  expect(await take(1, 2)).toMatchObject({ errorCode: 0, sessionId: 0, responses: [] })
  const after = await take(1, 3, both)
  expect(errorName(after.errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND')
})

test('misses nothing that comes while it reads from disk', async () => {
  const disk = new FaultyDisk()
  const { address } = await startBroker({ disk, settings: { 'odradek.tail.bytes.max': 0 } })
  const client = await connect(address)
  const topic = await makeTopic(client, { partitions: 2 })
  const batch = batchOf(['a'.repeat(100_000)])
  await produceTo(client, topic, batch, { index: 0 })

  let letGo: (() => void) | undefined
  const reading = new Promise<void>(began => {
    disk.before = async operation => {
      if (operation !== 'read') return
      await new Promise<void>(resolve => {
        letGo = resolve
        began()
      })
    }
  })
  const limits = { minBytes: batch.length + 1, maxWaitMs: hourMs }
  const answer = client.call(fetch, 17, fetchOf(topic, [{ partition: 1 }, { partition: 0 }], limits))
  await reading
  await produceTo(await connect(address), topic, batch, { index: 1 })
  disk.before = () => {}
  letGo!()
  expect(partitionsIn(await answer)).toEqual([0, 1])
})

test('refuses sessions that it does not know and epochs out of order', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const codeOf = async (sessionId: number, sessionEpoch: number, version = 17) => {
    const request = fetchOf(topic, [{}], { sessionId, sessionEpoch })
    return errorName((await client.call(fetch, version, request)).errorCode)
  }
  expect(await codeOf(123456789, 1)).toBe('FETCH_SESSION_ID_NOT_FOUND')
  const { sessionId } = await client.call(fetch, 17, fetchOf(topic, [{}], { sessionEpoch: 0 }))
  expect(await codeOf(sessionId, 2)).toBe('INVALID_FETCH_SESSION_EPOCH')
  expect(await codeOf(sessionId, 1, 12)).toBe('FETCH_SESSION_TOPIC_ID_ERROR')
})

test('ends a session that its client closes', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const { sessionId } = await client.call(fetch, 17, fetchOf(topic, [{}], { sessionEpoch: 0 }))
  await client.call(fetch, 17, fetchOf(topic, [], { sessionId, sessionEpoch: -1 }))
  const after = await client.call(fetch, 17, fetchOf(topic, [], { sessionId, sessionEpoch: 1 }))
  expect(errorName(after.errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND')
})

test('answers without a session when all places are taken by consumers who use theirs', async () => {
  const { address } = await startBroker({ settings: { 'max.incremental.fetch.session.cache.slots': 1 } })
  const client = await connect(address)
  const topic = await makeTopic(client)
  const begin = () => client.call(fetch, 17, fetchOf(topic, [{}], { sessionEpoch: 0 }))
  const { sessionId } = await begin()
  const second = await begin()
  expect(second).toMatchObject({ errorCode: 0, sessionId: 0 })
  expect(partitionsIn(second)).toEqual([0])
  const next = await client.call(fetch, 17, fetchOf(topic, [], { sessionId, sessionEpoch: 1 }))
  expect(next).toMatchObject({ errorCode: 0, sessionId })
})

function partitionsIn({
  responses,
}: {
  responses: { partitions: { partitionIndex: number }[] }[]
}): number[] {
  return responses
    .flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))
    .toSorted((a, b) => a - b)
}

async function metadataOf(client: WireClient, topics: TestTopic[]) {
  return client.call(metadata, 12, { topics: topics.map(({ name }) => ({ name })) })
}

async function leaderOf(client: WireClient, topic: TestTopic) {
  return (await metadataOf(client, [topic])).topics[0]!.partitions[0]!
}

async function addressOf(client: WireClient): Promise<string> {
  const { host, port } = (await metadataOf(client, [])).brokers[0]!
  return `${host}:${port}`
}

function offsets({ records }: { records: Buffer | null }): bigint[] {
  return [...batchesIn(records!)].map(({ baseOffset }) => baseOffset)
}

test('gives a reader of committed records what is decided, and says what was aborted', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  const [first, second] = [
    await TransactionalProducer.on(client, topic),
    await TransactionalProducer.on(client, topic),
  ]
  const fetched = async (isolationLevel: number, partition: FetchPartition = {}) => {
    const answer = await client.call(fetch, 17, fetchOf(topic, [partition], { isolationLevel }))
    return answer.responses[0]!.partitions[0]!
  }
  expect(await fetched(1)).toMatchObject({ lastStableOffset: 0n, abortedTransactions: [] })

  await first.write(['a'])
  await second.write(['b'])
  await first.end('ABORT')
  const third = await first.write(['c'])
  expect(third.baseOffset).toBe(3n)
  const open = await fetched(1)
  expect(open).toMatchObject({ highWatermark: 4n, lastStableOffset: 1n })
  expect(open.abortedTransactions).toEqual([{ producerId: first.id, firstOffset: 0n }])
  expect(offsets(open)).toEqual([0n])
  expect(await fetched(1, { fetchOffset: 1n })).toMatchObject({ errorCode: 0, abortedTransactions: [] })

  await second.end('COMMIT')
  expect(offsets(await fetched(1))).toEqual([0n, 1n, 2n])
  await first.end('ABORT')
  const all = await fetched(1)
  expect(offsets(all)).toEqual([0n, 1n, 2n, 3n, 4n, 5n])
  expect(all.abortedTransactions!.map(({ firstOffset }) => firstOffset)).toEqual([0n, 3n])
  // A transaction that ended before what is read does not matter to it.
  const rest = await fetched(1, { fetchOffset: 3n })
  expect(rest.abortedTransactions!.map(({ firstOffset }) => firstOffset)).toEqual([3n])

  const uncommitted = await fetched(0)
  expect(uncommitted).toMatchObject({ lastStableOffset: 6n, abortedTransactions: null })
  expect(offsets(uncommitted)).toEqual([0n, 1n, 2n, 3n, 4n, 5n])
})

test('wakes a reader of committed records when a transaction ends, and not before', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  const producer = await TransactionalProducer.on(client, topic)
  const reader = await connect(process.env['KAFKA_BOOTSTRAP'] ?? (await addressOf(client)))
  let isAnswered = false
  const waiting = reader
    .call(fetch, 17, fetchOf(topic, [{}], { isolationLevel: 1, maxWaitMs: hourMs }))
    .finally(() => (isAnswered = true))
  await producer.write(['a'])
  await producer.write(['b'])
  expect((await fetchFrom(client, topic)).highWatermark).toBe(2n)
  expect(isAnswered).toBe(false)
  await producer.end('COMMIT')
  const { records } = (await waiting).responses[0]!.partitions[0]!
  expect([...batchesIn(records!)].length).toBe(3)
})

test('tells from a cold log what was aborted, up to where the answer goes', async () => {
  const disk = new FaultyDisk()
  const settings = { ...unverified.settings, 'odradek.tail.bytes.max': 0 }
  const { address } = await startBroker({ disk, settings })
  const client = await connect(address)
  const topic = await makeTopic(client)
  const producer = await TransactionalProducer.on(client, topic)
  for (let round = 0; round < 3; round++) {
    await producer.write(['x'.repeat(40_000)])
    await producer.end('ABORT')
  }
  const request = fetchOf(topic, [{ partitionMaxBytes: 100_000 }], { isolationLevel: 1 })
  const { abortedTransactions, records } = (await client.call(fetch, 17, request)).responses[0]!
    .partitions[0]!
  expect([...batchesIn(records!)].map(({ baseOffset }) => baseOffset)).toEqual([0n, 1n, 2n, 3n])
  expect(abortedTransactions!.map(({ firstOffset }) => firstOffset)).toEqual([0n, 2n])
})

test.each([
  { what: 'its partition', asked: { partitionMaxBytes: 3400 }, whole: { minBytes: 3400 } },
  { what: 'the whole answer', asked: {}, whole: { maxBytes: 3400, minBytes: 5000 } },
])('waits for no more than may be given of $what', async ({ asked, whole }) => {
  const { address } = await startBroker({ clock: new ManualClock(Date.now()) })
  const client = await connect(address)
  const topic = await makeTopic(client)
  for (let index = 0; index < 10; index++) await produceTo(client, topic, batchOf(['x'.repeat(1000)]))
  // The clock stands still, so that whoever waits does so for ever.
  const answer = await client.call(fetch, 17, fetchOf(topic, [asked], { ...whole, maxWaitMs: 500 }))
  const { records } = answer.responses[0]!.partitions[0]!
  expect([...batchesIn(records!)]).toHaveLength(3)
})

test('is told of a topic that is deleted while the records of another are read from disk', async () => {
  const disk = new SlowDisk()
  const { address } = await startBroker({ disk, settings: { 'odradek.tail.bytes.max': 0 } })
  const [reader, admin] = [await connect(address), await connect(address)]
  const [read, gone] = [await makeTopic(admin), await makeTopic(admin)]
  await produceTo(admin, read, batchOf(['x'.repeat(100_000)]))
  const { topics, ...request } = fetchOf(gone, [{}], { minBytes: 1_000_000, maxWaitMs: hourMs })
  const reading = disk.holdReads()
  const answer = reader.call(fetch, 17, { ...request, topics: [...topics, ...fetchOf(read, [{}]).topics] })
  await reading.begun
  await admin.call(deleteTopics, 6, { topics: [{ topicId: gone.topicId, name: null }], timeoutMs: 1000 })
  reading.end()
  const errors = (await answer).responses.map(({ topicId, partitions }) => [
    topicId,
    errorName(partitions[0]!.errorCode),
  ])
  expect(errors).toEqual([
    [gone.topicId, 'UNKNOWN_TOPIC_ID'],
    [read.topicId, 'NONE'],
  ])
})

/** Reads that go on when the test says so. */
class SlowDisk extends FaultyDisk {
  #held: { promise: Promise<void>; begin: () => void } | undefined

  /** The next reads wait until `end` is called; `begun` resolves with the first. */
  holdReads(): { begun: Promise<void>; end: () => void } {
    let end!: () => void
    let begin!: () => void
    const promise = new Promise<void>(resolve => (end = resolve))
    const begun = new Promise<void>(resolve => (begin = resolve))
    this.#held = { promise, begin }
    return { begun, end }
  }

  override async open(name: string, options?: OpenOptions): Promise<DiskFile> {
    const file = await super.open(name, options)
    const read = file.read.bind(file)
    return Object.assign(file, {
      read: async (position: number, into: Buffer) => {
        this.#held?.begin()
        await this.#held?.promise
        return read(position, into)
      },
    })
  }
}

test('answers with records of more partitions than a call takes arguments', async () => {
  const client = await connect((await startBroker()).address)
  const [topicCount, partitionCount] = [13, 10_000]
  const partitions = Array.from({ length: partitionCount }, (_, index) => index)
  const partitionData = partitions.map(index => ({ index, records: batchOf(['a']) }))
  const topics = []
  for (let count = 0; count < topicCount; count++) {
    const draft = { numPartitions: partitionCount, replicationFactor: 1, assignments: [], configs: [] }
    const made = await client.call(createTopics, 7, { topics: [{ name: `t${count}`, ...draft }] })
    const { topicId } = made.topics[0]!
    await client.call(produce, 13, { acks: -1, timeoutMs: 30_000, topicData: [{ topicId, partitionData }] })
    const asked = partitions.map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 1_000 }))
    topics.push({ topicId, partitions: asked })
  }
  const request = { maxWaitMs: 0, minBytes: 1, sessionEpoch: -1, topics, forgottenTopicsData: [] }
  const { responses } = await client.call(fetch, 13, request)
  expect(responses.flatMap(topic => topic.partitions)).toHaveLength(topicCount * partitionCount)
})
