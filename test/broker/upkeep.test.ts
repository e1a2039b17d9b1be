import { describe, expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { deleteTopics } from '../../src/broker/apis/20-delete-topics.ts'
import { offsetCommit } from '../../src/broker/apis/08-offset-commit.ts'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { buildBatch } from '../../src/protocol/records/record.ts'
import { createBroker, type BrokerOptions } from '../../src/index.ts'
import { connect, startBroker, type TestBroker } from '../support/broker.ts'
import { alter, done, ofBroker, ofTopic, set } from '../support/configs.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { fetchFrom, makeTopic, produceTo, recordsIn, type TestTopic } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

/** Its wall clock can be set. */
class SettableClock extends ManualClock {
  offsetMs = 0

  override now(): number {
    return super.now() + this.offsetMs
  }
}

interface Scene extends TestBroker {
  readonly client: WireClient
  readonly clock: ManualClock
}

// Clients of a clock that is turned by hours are not silent for long.
const patient = { 'connections.max.idle.ms': -1 }

async function begin(options: BrokerOptions = {}, clock = new ManualClock()): Promise<Scene> {
  const settings = { ...patient, ...options.settings }
  const started = await startBroker({ clock, ...options, settings })
  return { ...started, clock, client: await connect(started.address) }
}

async function put(
  { client, clock }: Pick<Scene, 'client' | 'clock'>,
  topic: TestTopic,
  key: string | null,
  value: string | null,
): Promise<void> {
  const records = [
    {
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestamp: BigInt(clock.now()),
    },
  ]
  expect(await produceTo(client, topic, buildBatch({ records }))).toMatchObject({ errorCode: 0 })
}

/** Alters a setting of the broker while it runs. */
async function turn({ client }: Scene, name: string, value: string): Promise<void> {
  expect(await alter(client, [ofBroker('', set(name, value))])).toEqual([done])
}

describe('retention', () => {
  const segments = { 'internal.segment.bytes': '200' }

  test('deletes what is older than retention.ms at the next check, durably', async () => {
    const disk = new FaultyDisk()
    const scene = await begin({ disk })
    const { clock, client, stop } = scene
    const configs = { ...segments, 'retention.ms': '600000' }
    const topic = await makeTopic(client, { configs })
    for (let hour = 0; hour < 3; hour++) {
      for (const part of ['a', 'b', 'c']) await put(scene, topic, null, `${part}${hour} ${'x'.repeat(50)}`)
      if (hour < 2) await clock.advance(3_600_000)
    }
    await clock.advance(300_000)
    const fetched = await fetchFrom(client, topic, { fetchOffset: 6n })
    expect(fetched).toMatchObject({ errorCode: 0, logStartOffset: 6n, highWatermark: 9n })
    expect(recordsIn(fetched)).toHaveLength(3)
    expect(await fetchFrom(client, topic, { fetchOffset: 5n })).toMatchObject({ errorCode: 1 })
    await stop()
    const again = await begin({ disk }, clock)
    expect(await fetchFrom(again.client, topic, { fetchOffset: 6n })).toMatchObject({ logStartOffset: 6n })
  })

  test('deletes by retention.bytes whole segments when it is asked to', async () => {
    const scene = await begin()
    const topic = await makeTopic(scene.client, { configs: { ...segments, 'retention.bytes': '500' } })
    for (let count = 0; count < 10; count++) await put(scene, topic, null, `${count} ${'x'.repeat(50)}`)
    await scene.broker.applyRetention()
    // Two batches of 121 bytes make no segment of 200, so each is one; four are 484 bytes, five are 605.
    expect(await fetchFrom(scene.client, topic, { fetchOffset: 5n })).toMatchObject({ logStartOffset: 5n })
  })

  test('goes by a setting from the moment it is altered', async () => {
    const scene = await begin()
    const { client, clock, broker } = scene
    const topic = await makeTopic(client)
    await put(scene, topic, null, 'old')
    await clock.advance(100_000)
    await broker.applyRetention()
    expect(await fetchFrom(client, topic)).toMatchObject({ logStartOffset: 0n })
    const operations = [['retention.ms', 0, '1000']] as const
    await alter(client, [{ resourceType: 2, resourceName: topic.name, operations }])
    await broker.applyRetention()
    expect(await fetchFrom(client, topic, { fetchOffset: 1n })).toMatchObject({ logStartOffset: 1n })
  })

  test('keeps the files of what was deleted for file.delete.delay.ms', async () => {
    const disk = new FaultyDisk()
    const scene = await begin({ disk, settings: { 'odradek.shard.segment.bytes': 1 << 20 } })
    const { client, clock } = scene
    const topic = await makeTopic(client, { configs: { 'file.delete.delay.ms': '5000' } })
    for (let count = 0; count < 15; count++) await put(scene, topic, null, 'x'.repeat(200_000))
    const files = disk.names('.log')
    expect(files.length).toBeGreaterThan(2)
    await client.call(deleteTopics, 6, {
      topics: [{ name: topic.name, topicId: 'A'.repeat(22) }],
      topicNames: [],
      timeoutMs: 1000,
    })
    await clock.advance(4999)
    expect(disk.names('.log')).toEqual(files)
    await clock.advance(2)
    expect(disk.names('.log').length).toBeLessThan(files.length)
  })

  test('keeps them no longer where the wall clock is set back', async () => {
    const disk = new FaultyDisk()
    const clock = new SettableClock()
    const scene = await begin({ disk, settings: { 'odradek.shard.segment.bytes': 1 << 20 } }, clock)
    const { client } = scene
    const topic = await makeTopic(client, { configs: { 'file.delete.delay.ms': '5000' } })
    for (let count = 0; count < 15; count++) await put(scene, topic, null, 'x'.repeat(200_000))
    const files = disk.names('.log')
    await client.call(deleteTopics, 6, {
      topics: [{ name: topic.name, topicId: 'A'.repeat(22) }],
      topicNames: [],
      timeoutMs: 1000,
    })
    clock.offsetMs = -3_600_000
    await clock.advance(5001)
    expect(disk.names('.log').length).toBeLessThan(files.length)
  })
})

describe('compaction', () => {
  const configs = { 'cleanup.policy': 'compact', 'internal.segment.bytes': '300' }

  test('of a topic leaves the latest record of each key, over a restart too', async () => {
    const disk = memoryDisk()
    const scene = await begin({ disk })
    const topic = await makeTopic(scene.client, { configs })
    for (let round = 0; round < 10; round++)
      for (const key of ['a', 'b']) await put(scene, topic, key, `${key}${round}`)
    await scene.broker.compact({ roll: true })
    const latest = ['18:a9', '19:b9']
    expect(recordsIn(await fetchFrom(scene.client, topic))).toEqual(latest)
    await put(scene, topic, 'a', 'a10')
    await scene.stop()
    const again = await begin({ disk })
    const fetched = await fetchFrom(again.client, topic)
    expect(recordsIn(fetched)).toEqual([...latest, '20:a10'])
    expect(fetched).toMatchObject({ logStartOffset: 0n, highWatermark: 21n })
  })

  test('comes of its own accord when enough is dirty, unless log.cleaner.enable is false', async () => {
    for (const isEnabled of [true, false]) {
      const scene = await begin({ settings: { 'log.cleaner.enable': isEnabled } })
      const topic = await makeTopic(scene.client, { configs })
      for (let round = 0; round < 20; round++) await put(scene, topic, 'k', `k${round}`)
      expect(recordsIn(await fetchFrom(scene.client, topic))).toHaveLength(20)
      await scene.clock.advance(60_000)
      // What it does takes turns of the event loop, and this waits for it.
      await scene.broker.applyRetention()
      const { length } = recordsIn(await fetchFrom(scene.client, topic))
      expect(length).toBeLessThan(isEnabled ? 6 : 21)
      expect(length).toBeGreaterThan(isEnabled ? 1 : 19)
    }
  })

  test('goes by log.cleaner.backoff.ms from the moment it is altered, also where it rests by a longer one', async () => {
    const scene = await begin()
    const topic = await makeTopic(scene.client, { configs })
    await turn(scene, 'log.cleaner.backoff.ms', '86400000')
    await scene.clock.advance(60_000)
    for (let round = 0; round < 20; round++) await put(scene, topic, 'k', `k${round}`)
    await turn(scene, 'log.cleaner.backoff.ms', '100')
    await scene.clock.advance(100)
    await scene.broker.applyRetention()
    expect(recordsIn(await fetchFrom(scene.client, topic)).length).toBeLessThan(6)
  })

  test('and retention of one topic keep what both keep', async () => {
    const scene = await begin()
    const topic = await makeTopic(scene.client, {
      configs: {
        ...configs,
        'cleanup.policy': 'compact,delete',
        'retention.ms': '1000',
        'segment.ms': '500',
      },
    })
    for (let round = 0; round < 10; round++) await put(scene, topic, 'old', `old${round}`)
    await scene.clock.advance(1001)
    for (let round = 0; round < 10; round++) await put(scene, topic, 'new', `new${round}`)
    await scene.broker.applyRetention()
    await scene.broker.compact({ roll: true })
    const { logStartOffset, records } = await fetchFrom(scene.client, topic, { fetchOffset: 10n })
    expect(logStartOffset).toBe(10n)
    expect(recordsIn({ records })).toEqual(['19:new9'])
  })

  test.each(['0', '-1', '0.1'])(
    'held back by log.cleaner.io.max.bytes.per.second=%s holds up no retention, and goes on when that is raised',
    async rate => {
      const scene = await begin()
      const { client, clock } = scene
      const compacted = await makeTopic(client, { configs })
      const deleted = await makeTopic(client, {
        configs: { 'internal.segment.bytes': '200', 'retention.ms': '600000' },
      })
      await turn(scene, 'log.cleaner.io.max.bytes.per.second', rate)
      for (let round = 0; round < 20; round++) await put(scene, compacted, 'k', `k${round}`)
      for (let count = 0; count < 6; count++) await put(scene, deleted, null, 'x'.repeat(80))
      await clock.advance(1_200_000)
      expect(await fetchFrom(client, deleted, { fetchOffset: 6n })).toMatchObject({ logStartOffset: 6n })
      expect(recordsIn(await fetchFrom(client, compacted))).toHaveLength(20)
      // The second check, behind which nothing had to be done.
      for (let count = 0; count < 6; count++) await put(scene, deleted, null, 'x'.repeat(80))
      await clock.advance(1_200_000)
      expect(await fetchFrom(client, deleted, { fetchOffset: 12n })).toMatchObject({ logStartOffset: 12n })
      await turn(scene, 'log.cleaner.io.max.bytes.per.second', '1e9')
      await clock.advance(1000)
      await scene.broker.applyRetention()
      expect(recordsIn(await fetchFrom(client, compacted)).length).toBeLessThan(6)
    },
  )

  test.each(['0', '-1', 'NaN', '1e-300', '2'])(
    'goes on with a log.cleaner.io.buffer.load.factor of %s',
    async factor => {
      const scene = await begin()
      const topic = await makeTopic(scene.client, { configs })
      await turn(scene, 'log.cleaner.io.buffer.load.factor', factor)
      for (let round = 0; round < 20; round++) await put(scene, topic, 'k', `k${round}`)
      await scene.broker.compact({ roll: true })
      expect(recordsIn(await fetchFrom(scene.client, topic))).toEqual(['19:k19'])
    },
  )

  test('of committed offsets leaves each as it was', async () => {
    const disk = memoryDisk()
    const scene = await begin({ disk })
    const topic = await makeTopic(scene.client)
    const commit = (offset: bigint): Promise<unknown> =>
      scene.client.call(offsetCommit, 9, {
        groupId: 'group',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        topics: [
          {
            name: topic.name,
            partitions: [
              { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' },
            ],
          },
        ],
      })
    for (let offset = 1n; offset <= 50n; offset++) await commit(offset)
    await scene.broker.compact({ roll: true })
    await scene.stop()
    const again = await begin({ disk })
    const { groups } = await again.client.call(offsetFetch, 9, {
      groups: [{ groupId: 'group', topics: [{ name: topic.name, partitionIndexes: [0] }] }],
      requireStable: false,
    })
    expect(groups[0]!.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, committedOffset: 50n })
  })

  test('of the metadata leaves what is, so that a start does not read what was', async () => {
    const disk = new FaultyDisk()
    const scene = await begin({ disk })
    const kept = await makeTopic(scene.client, { partitions: 2 })
    for (let count = 0; count < 50; count++) {
      const { name } = await makeTopic(scene.client, { partitions: 3 })
      await scene.client.call(deleteTopics, 6, {
        topics: [{ name, topicId: 'A'.repeat(22) }],
        topicNames: [],
        timeoutMs: 1000,
      })
      const operations = [['retention.ms', 0, String(1_000_000 + count)]] as const
      await alter(scene.client, [{ resourceType: 2, resourceName: kept.name, operations }])
    }
    await put(scene, kept, null, 'still here')
    await scene.broker.compact({ roll: true })
    await scene.clock.advance(1)
    // Tombstones go with the second cleaning that sees them.
    await scene.broker.compact({ roll: true })
    await scene.stop()
    const size = disk.names('.log').reduce((sum, name) => sum + disk.get(name).length, 0)
    expect(size).toBeLessThan(4000)
    const again = await begin({ disk }, scene.clock)
    expect(recordsIn(await fetchFrom(again.client, kept))).toEqual(['0:still here'])
    const another = await makeTopic(again.client)
    await put(again, another, null, 'new')
    expect(recordsIn(await fetchFrom(again.client, another))).toEqual(['0:new'])
  })

  test('of the metadata comes of its own accord, whether log.cleaner.enable is true or false', async () => {
    for (const isEnabled of [true, false]) {
      const disk = new FaultyDisk()
      const scene = await begin({ disk, settings: { 'log.cleaner.enable': isEnabled } })
      const { client, clock } = scene
      const { name } = await makeTopic(client)
      const replicas = Array.from({ length: 4000 }, (_, partition) => `${partition}:1`).join(',')
      const long = set('leader.replication.throttled.replicas', replicas)
      for (let count = 0; count < 80; count++)
        expect(await alter(client, [ofTopic(name, long, set('retention.ms', `${count}000`))])).toEqual([done])
      const sizeOnDisk = (): number =>
        disk.names('.log').reduce((sum, file) => sum + disk.get(file).length, 0)
      const before = sizeOnDisk()
      await clock.advance(120_000)
      await scene.broker.applyRetention()
      await clock.advance(120_000)
      expect(sizeOnDisk()).toBeLessThan(before / 2)
      await scene.stop()
    }
  })
})

test.each([0, 1])('a broker closes in the middle of it, held back to %d bytes a second', async rate => {
  const disk = memoryDisk()
  const clock = new ManualClock()
  const broker = await createBroker({
    disk,
    clock,
    settings: { 'log.cleaner.io.max.bytes.per.second': rate },
  })
  const client = await connect(broker.address)
  const topic = await makeTopic(client, {
    configs: { 'cleanup.policy': 'compact', 'internal.segment.bytes': '300' },
  })
  for (let round = 0; round < 20; round++) await put({ client, clock }, topic, 'k', `k${round}`)
  const compacting = broker.compact({ roll: true })
  await settled()
  await broker.close()
  await compacting
  const again = await begin({ disk })
  expect(recordsIn(await fetchFrom(again.client, topic)).at(-1)).toBe('19:k19')
})
