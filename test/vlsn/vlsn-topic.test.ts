import { describe, expect, test } from 'vitest'
import { createPartitions } from '../../src/broker/apis/37-create-partitions.ts'
import { deleteRecords } from '../../src/broker/apis/21-delete-records.ts'
import { deleteTopics } from '../../src/broker/apis/20-delete-topics.ts'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { listOffsets } from '../../src/broker/apis/02-list-offsets.ts'
import { offsetForLeaderEpoch } from '../../src/broker/apis/23-offset-for-leader-epoch.ts'
import { initProducerId } from '../../src/broker/apis/22-init-producer-id.ts'
import { offsetCommit } from '../../src/broker/apis/08-offset-commit.ts'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { describeTopicPartitions } from '../../src/broker/apis/75-describe-topic-partitions.ts'
import { errorCodes, errorName } from '../../src/protocol/errors.ts'
import { buildBatch } from '../../src/protocol/records/record.ts'
import { connect, startBroker } from '../support/broker.ts'
import { alter, described, ofTopic, set } from '../support/configs.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { fetchFrom, fetchOf, latest, makeTopic, produceTo, uniqueName } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'
import { batchOf, keyOf, makeVlsnTopic, readView, readViewTo, viewOf, write } from './support.ts'

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)
const seen = (...vlsns: number[]): string[] => vlsns.map(vlsn => `${vlsn}:v${vlsn}`)

async function begin(options: Parameters<typeof startBroker>[0] = {}) {
  const started = await startBroker(options)
  return { ...started, client: await connect(started.address) }
}

describe('a VLSN topic', () => {
  test('takes what its writer numbers, each in the partition of its remainder', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    expect(await write(client, topic, range(0, 10))).toEqual(['0: 0', '1: 0', '2: 0'])
    expect(await write(client, topic, range(10, 12))).toEqual(['1: 3', '2: 3'])
  })

  test('refuses, record by record, what breaks its rules', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    await write(client, topic, [0, 3, 6])
    const records = [
      { key: null },
      { key: Buffer.from('four') },
      { key: keyOf(2n ** 63n) },
      { key: keyOf(10) },
      { key: keyOf(9) },
      { key: keyOf(9) },
      { key: keyOf(2) },
      { key: keyOf(3) },
    ].map(record => ({ ...record, value: Buffer.from('x'), timestamp: BigInt(Date.now()) }))
    const answer = await produceTo(client, topic, buildBatch({ records }))
    expect(errorName(answer.errorCode)).toBe('INVALID_RECORD')
    expect(answer.recordErrors).toMatchObject([
      { batchIndex: 0, batchIndexErrorMessage: 'The key has 0 bytes and not the 8 of a VLSN' },
      { batchIndex: 1, batchIndexErrorMessage: 'The key has 4 bytes and not the 8 of a VLSN' },
      { batchIndex: 2, batchIndexErrorMessage: 'The VLSN is not below 2^63' },
      { batchIndex: 3, batchIndexErrorMessage: 'VLSN 10 lies in partition 1, not in 0' },
      { batchIndex: 5, batchIndexErrorMessage: 'VLSN 9 comes after 9 in the same batch' },
      { batchIndex: 6, batchIndexErrorMessage: 'VLSN 2 lies in partition 2, not in 0' },
      {
        batchIndex: 7,
        batchIndexErrorMessage: 'VLSN 3 is stored already, and not next to what is sent with it',
      },
    ])
    expect(await latest(client, topic.name)).toMatchObject({ offset: 3n })
  })

  test('answers what is sent again with the offset of the first time, if the value is the same', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    await write(client, topic, [0, 3, 6])
    expect(await write(client, topic, [3, 6])).toEqual(['0: 1'])
    const other = await produceTo(client, topic, batchOf([{ vlsn: 6, value: 'other' }]))
    expect(other.recordErrors).toMatchObject([
      { batchIndex: 0, batchIndexErrorMessage: 'VLSN 6 is stored already, with another value' },
    ])
    // What a client added to it when it sent again is appended, once.
    expect(await write(client, topic, [3, 6, 9, 12])).toEqual(['0: 1'])
    expect(await latest(client, topic.name)).toMatchObject({ offset: 5n })
    expect((await readView(client, topic)).records).toEqual(seen(0))
  })

  test('recognises a sequence that it knows before it looks at the numbers', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    const { producerId, producerEpoch } = await client.call(initProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 0,
    })
    const draft = { producerId, producerEpoch, baseSequence: 0 }
    expect(await write(client, topic, [0, 3], { draft })).toEqual(['0: 0'])
    expect(await write(client, topic, [6], { draft: { ...draft, baseSequence: 2 } })).toEqual(['0: 2'])
    expect(await write(client, topic, [0, 3], { draft })).toEqual(['0: 0'])
    const skipped = await produceTo(client, topic, batchOf([1], { ...draft, baseSequence: 9 }))
    expect(errorName(skipped.errorCode)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  test('takes compressed batches, and reads them in order', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    await write(client, topic, range(0, 100), { draft: { codec: 'lz4' } })
    await write(client, topic, range(100, 200), { draft: { codec: 'gzip' } })
    expect((await readView(client, topic)).records).toEqual(seen(...range(0, 200)))
  })

  test('is not compacted, and is a VLSN topic from its beginning or never', async () => {
    const { client } = await begin()
    await expect(makeVlsnTopic(client, { configs: { 'cleanup.policy': 'compact' } })).rejects.toThrow(
      'INVALID_CONFIG',
    )
    const plain = await makeTopic(client)
    const outcomes = await alter(client, [ofTopic(plain.name, set('odradek.partitioning', 'vlsn'))])
    expect(outcomes).toEqual([
      { error: 'INVALID_CONFIG', message: 'odradek.partitioning is decided when a topic is made' },
    ])
    const topic = await makeVlsnTopic(client)
    const compacted = await alter(client, [ofTopic(topic.name, set('cleanup.policy', 'compact'))])
    expect(compacted).toMatchObject([{ error: 'INVALID_CONFIG' }])
  })
})

describe('the ordered view', () => {
  test('reads all partitions in the order of the VLSNs, up to the first that is missing', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    await write(client, topic, range(0, 50))
    await write(client, topic, [52, 55])
    expect(await readView(client, topic)).toEqual({ records: seen(...range(0, 50)), start: 0n, end: 50n })
    await write(client, topic, [51])
    expect((await readView(client, topic, 48n)).records).toEqual(seen(48, 49))
    await write(client, topic, [50])
    expect((await readView(client, topic, 47n)).records).toEqual(seen(...range(47, 53)))
  })

  test('goes past a VLSN that its partition has passed, since it cannot come any more', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    await write(client, topic, [0, 1, 2, 4, 5, 6])
    expect(await readView(client, topic)).toEqual({ records: seen(0, 1, 2, 4, 5, 6), start: 0n, end: 7n })
    const late = await produceTo(client, topic, batchOf([3]))
    expect(late.recordErrors).toMatchObject([
      { batchIndexErrorMessage: 'VLSN 3 is not above 6, the last one of the partition' },
    ])
  })

  test('wakes a fetch that waits when the missing one comes', async () => {
    const { client, address } = await begin()
    const topic = await makeVlsnTopic(client)
    const reader = await connect(address)
    const waiting = reader.call(fetch, 11, fetchOf(viewOf(topic), [{}], { maxWaitMs: 20_000 }))
    await write(client, topic, [1, 2])
    await write(client, topic, [0])
    const answer = await waiting
    expect(answer.responses[0]!.partitions[0]).toMatchObject({
      errorCode: 0,
      highWatermark: 3n,
      lastStableOffset: 3n,
    })
  })

  test('is told of as internal, by name and by id, and found in sessions', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    await write(client, topic, [0, 1])
    const answer = await client.call(metadata, 12, {
      topics: [{ topicId: viewOf(topic).topicId, name: `${topic.name}.vlsn` }],
      allowAutoTopicCreation: false,
    })
    const view = answer.topics[0]!
    expect(view).toMatchObject({ errorCode: 0, isInternal: true, partitions: [{ partitionIndex: 0 }] })
    expect(view.topicId).not.toBe(topic.topicId)
    const all = await client.call(metadata, 12, { topics: null })
    expect(all.topics.map(({ name }) => name)).toContain(`${topic.name}.vlsn`)
    const byId = { name: '', topicId: view.topicId }
    const first = await client.call(fetch, 17, fetchOf(byId, [{}], { sessionEpoch: 0 }))
    expect(first.responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 2n })
    const draft = { sessionId: first.sessionId, sessionEpoch: 1, topics: [] }
    const second = await client.call(fetch, 17, fetchOf(byId, [], draft))
    expect(second).toMatchObject({ errorCode: 0, sessionId: first.sessionId })
    const described = await client.call(describeTopicPartitions, 0, {
      topics: [{ name: `${topic.name}.vlsn` }],
      responsePartitionLimit: 10,
      cursor: null,
    })
    expect(described.topics).toMatchObject([
      { errorCode: 0, isInternal: true, partitions: [{ leaderId: 1 }] },
    ])
  })

  test('refuses to be written to, made, changed or deleted', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    const { name } = viewOf(topic)
    const invalid = errorCodes.INVALID_TOPIC_EXCEPTION
    expect(await produceTo(client, viewOf(topic), batchOf([0]), { version: 11 })).toMatchObject({
      errorCode: invalid,
    })
    await expect(makeTopic(client, { name })).rejects.toThrow('INVALID_TOPIC_EXCEPTION')
    await expect(makeTopic(client, { name: uniqueName() + '.vlsn' })).rejects.toThrow(
      'INVALID_TOPIC_EXCEPTION',
    )
    const deleted = await client.call(deleteTopics, 5, { topicNames: [name], timeoutMs: 0 })
    expect(deleted.responses).toMatchObject([{ errorCode: invalid }])
    const cut = await client.call(deleteRecords, 2, {
      topics: [{ name, partitions: [{ partitionIndex: 0, offset: 0n }] }],
      timeoutMs: 0,
    })
    expect(cut.topics[0]!.partitions).toMatchObject([{ errorCode: invalid }])
    const grown = await client.call(createPartitions, 3, {
      topics: [{ name, count: 5, assignments: null }],
      timeoutMs: 0,
      validateOnly: false,
    })
    expect(grown.results).toMatchObject([{ errorCode: invalid }])
    expect(await alter(client, [ofTopic(name, set('retention.ms', '1000'))])).toMatchObject([
      { error: 'INVALID_TOPIC_EXCEPTION' },
    ])
    const unmade = await client.call(metadata, 12, {
      topics: [{ topicId: viewOf(topic).topicId, name: uniqueName() + '.vlsn' }],
      allowAutoTopicCreation: true,
    })
    expect(unmade.topics).toMatchObject([{ errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION }])
  })

  test('lists offsets by place and by time', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    const time = Date.now()
    const at = (vlsn: number, ms: number) => ({ vlsn, timestamp: time + ms })
    await write(client, topic, [at(0, 0), at(1, 50), at(2, 20), at(3, 30), at(4, 40), at(6, 99)])
    const ask = async (timestamp: number) => {
      const answer = await client.call(listOffsets, 11, {
        replicaId: -1,
        isolationLevel: 1,
        topics: [
          { name: `${topic.name}.vlsn`, partitions: [{ partitionIndex: 0, timestamp: BigInt(timestamp) }] },
        ],
        timeoutMs: 0,
      })
      const { errorCode, offset, timestamp: found } = answer.topics[0]!.partitions[0]!
      return errorCode === 0 ? `${offset} ${found < 0n ? found : found - BigInt(time)}` : errorName(errorCode)
    }
    expect(await ask(-2)).toBe('0 -1')
    expect(await ask(-1)).toBe('5 -1')
    expect(await ask(time + 1)).toBe('1 50')
    expect(await ask(time + 51)).toBe('-1 -1')
    // The greatest of all is not in the view yet.
    expect(await ask(-3)).toBe('1 50')
    await write(client, topic, [at(5, 1)])
    expect(await ask(-3)).toBe('6 99')
    expect(await ask(time + 51)).toBe('6 99')
  })

  test('keeps what groups commit, and forgets it with its topic', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    await write(client, topic, [0, 1, 2])
    const { name } = viewOf(topic)
    const committed = await client.call(offsetCommit, 9, {
      groupId: 'g',
      memberId: '',
      topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: 2n, committedMetadata: '' }] }],
    })
    expect(committed.topics[0]!.partitions).toMatchObject([{ errorCode: 0 }])
    const ask = async () => {
      const answer = await client.call(offsetFetch, 9, { groups: [{ groupId: 'g', topics: null }] })
      return answer.groups[0]!.topics.map(each => `${each.name} ${each.partitions[0]!.committedOffset}`)
    }
    expect(await ask()).toEqual([`${name} 2`])
    await client.call(deleteTopics, 5, { topicNames: [topic.name], timeoutMs: 0 })
    expect(await ask()).toEqual([])
    expect(await fetchFrom(client, viewOf(topic), { version: 11 })).toMatchObject({
      errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    })
  })

  test('begins where nothing was deleted, for good', async () => {
    const disk = new FaultyDisk()
    const first = await begin({ disk })
    const topic = await makeVlsnTopic(first.client)
    await write(first.client, topic, range(0, 30))
    const cut = (client: WireClient, partitionIndex: number, offset: bigint) =>
      client.call(deleteRecords, 2, {
        topics: [{ name: topic.name, partitions: [{ partitionIndex, offset }] }],
        timeoutMs: 0,
      })
    // Partition 1 has 1, 4, 7, 10, 13.
    await cut(first.client, 1, 5n)
    const expected = { records: seen(...range(14, 30)), start: 14n, end: 30n }
    expect(await readView(first.client, topic)).toEqual(expected)
    await first.stop()
    const second = await begin({ disk })
    expect(await readView(second.client, topic)).toEqual(expected)
    for (const index of [0, 1, 2]) await cut(second.client, index, -1n)
    await second.stop()
    const third = await begin({ disk })
    expect(await readView(third.client, topic)).toEqual({ records: [], start: 30n, end: 30n })
    // Nothing is known of what was deleted, but that it was there.
    const late = await produceTo(third.client, topic, batchOf([27]))
    expect(errorName(late.errorCode)).toBe('INVALID_RECORD')
    await write(third.client, topic, [30, 31])
    expect((await readView(third.client, topic)).records).toEqual(seen(30, 31))
  })

  test('begins at odradek.vlsn.start', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client, { configs: { 'odradek.vlsn.start': '1000' } })
    expect(await write(client, topic, [999])).toEqual(['0: INVALID_RECORD'])
    await write(client, topic, [1000, 1001])
    expect(await readView(client, topic)).toEqual({ records: seen(1000, 1001), start: 1000n, end: 1002n })
  })

  test('tells consumers that no epoch was ever cut', async () => {
    const disk = new FaultyDisk()
    const first = await begin({ disk })
    const topic = await makeVlsnTopic(first.client)
    await write(first.client, topic, [0, 1])
    await first.stop()
    const { client } = await begin({ disk })
    const ask = async (leaderEpoch: number) => {
      const answer = await client.call(offsetForLeaderEpoch, 4, {
        topics: [
          { topic: `${topic.name}.vlsn`, partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch }] },
        ],
      })
      const found = answer.topics[0]!.partitions[0]!
      return `${errorName(found.errorCode)} ${found.leaderEpoch} ${found.endOffset}`
    }
    expect(await ask(0)).toBe('NONE 0 2')
    expect(await ask(1)).toBe('NONE 1 2')
    expect(await ask(2)).toBe('NONE -1 -1')
  })

  test('describes the settings of its topic', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    const found = await described(client, ofTopic(`${topic.name}.vlsn`), 'odradek.partitioning')
    expect(found).toBe('vlsn from 1')
  })

  test('goes over into a new era when partitions are added', async () => {
    const disk = new FaultyDisk()
    const first = await begin({ disk })
    const topic = await makeVlsnTopic(first.client)
    await write(first.client, topic, range(0, 10))
    const grown = await first.client.call(createPartitions, 3, {
      topics: [{ name: topic.name, count: 5, assignments: null }],
      timeoutMs: 0,
      validateOnly: false,
    })
    expect(grown.results).toMatchObject([{ errorCode: 0 }])
    expect(await write(first.client, topic, [10, 11, 13])).toEqual(['1: INVALID_RECORD', '2: INVALID_RECORD'])
    await write(first.client, topic, range(10, 40), { partitions: 5 })
    const expected = { records: seen(...range(0, 40)), start: 0n, end: 40n }
    expect(await readView(first.client, topic)).toEqual(expected)
    await first.stop()
    const second = await begin({ disk })
    expect(await readView(second.client, topic)).toEqual(expected)
  })
})

describe('a gap', () => {
  const patient = { 'connections.max.idle.ms': -1 }

  test('is closed after its time, for good, and takes nothing in then', async () => {
    const disk = new FaultyDisk()
    const clock = new ManualClock()
    const first = await begin({ disk, clock, settings: patient })
    const configs = {
      'odradek.vlsn.gap.timeout.ms': '5000',
      'message.timestamp.after.max.ms': String(2 ** 50),
    }
    const topic = await makeVlsnTopic(first.client, { configs })
    await write(first.client, topic, [0, 1, 4])
    await settled()
    await clock.advance(4999)
    expect((await readView(first.client, topic)).end).toBe(2n)
    await clock.advance(1)
    // 3 may still come: only what lies before something that is there is closed.
    expect(await readView(first.client, topic)).toEqual({ records: seen(0, 1, 4), start: 0n, end: 5n })
    const late = await produceTo(first.client, topic, batchOf([2]), { index: 2 })
    expect(late.recordErrors).toMatchObject([
      { batchIndexErrorMessage: 'VLSN 2 comes too late: it is decided that nothing is missing below 4' },
    ])
    await first.stop()
    const second = await begin({ disk: disk.copy(), clock, settings: patient })
    expect((await readView(second.client, topic)).end).toBe(5n)
    const later = await produceTo(second.client, topic, batchOf([3]))
    expect(errorName(later.errorCode)).toBe('INVALID_RECORD')
  })

  test('is closed at once by a record that names its predecessor', async () => {
    const { client } = await begin()
    const topic = await makeVlsnTopic(client)
    await write(client, topic, [{ vlsn: 5, after: -1 }])
    expect(await readViewTo(client, topic, 6n)).toEqual({ records: seen(5), start: 0n, end: 6n })
    await write(client, topic, [{ vlsn: 10, after: 8 }])
    await settled()
    expect((await readView(client, topic)).end).toBe(6n)
    await write(client, topic, [{ vlsn: 8, after: 5 }])
    expect((await readViewTo(client, topic, 11n)).records).toEqual(seen(5, 8, 10))
  })
})
