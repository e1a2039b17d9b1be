import { describe, expect, test } from 'vitest'
import { errorName } from '../../../src/protocol/errors.ts'
import { caller, idOf, subscription } from '../../support/group-scene.ts'
import { choose, close, commitFor, end, eventsScene, group, logged } from './support.ts'

const mark = 'odradek.commit.strategy'

describe('one number for all partitions', () => {
  test('is the greatest up to which everything is committed in every partition, one record a commit', async () => {
    const { scene } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10 })
    // Of partition 2 nothing is committed: it holds the number at its start.
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 2 })
    const { count } = logged(scene)
    await scene.commit({ 'events-2': 4 })
    expect(logged(scene, count).records).toEqual([`events.vlsn-0: 14 ${mark}`])
    expect(await scene.committed()).toEqual({
      'events-0': 5,
      'events-1': 5,
      'events-2': 4,
      'events.vlsn-0': 14,
    })
    await scene.commit({ 'events-2': 10 })
    expect(await scene.committed(['events.vlsn-0', 'events-1'])).toEqual({
      'events.vlsn-0': 30,
      'events-1': 10,
    })
    await close(scene)
  })

  test('is told as an offset like any other, by name and by id, without the mark of its record', async () => {
    const { scene, events } = await eventsScene()
    await scene.commit({ 'events-0': 3, 'events-1': 3, 'events-2': 3 })
    const topics = [
      { name: '', topicId: events.viewId, partitionIndexes: [0] },
      { name: '', topicId: events.id, partitionIndexes: [0, 3] },
    ]
    const [fetched] = await scene.coordinator.fetchOffsets(
      [{ groupId: group, memberId: null, memberEpoch: -1, topics }],
      caller(10),
    )
    const partition = { committedLeaderEpoch: -1, metadata: '', errorCode: 0 }
    expect(fetched!.topics).toEqual([
      {
        name: 'events.vlsn',
        topicId: idOf('events.vlsn'),
        partitions: [{ partitionIndex: 0, committedOffset: 9n, ...partition }],
      },
      {
        name: 'events',
        topicId: idOf('events'),
        partitions: [
          { partitionIndex: 0, committedOffset: 3n, ...partition },
          { partitionIndex: 3, committedOffset: -1n, ...partition },
        ],
      },
    ])
    await close(scene)
  })

  test('is not held back by a partition that is committed to its end, nor by what is missing for good', async () => {
    const { scene, events } = await eventsScene('vlsn', 9)
    events.skip()
    events.write(2)
    events.mark(1)
    await scene.commit({ 'events-0': 3, 'events-1': 5, 'events-2': 4 })
    expect(await scene.committed()).toEqual({
      'events-0': 3,
      'events-1': 5,
      'events-2': 4,
      'events.vlsn-0': 12,
    })
    events.write(3)
    expect(await scene.committed()).toEqual({
      'events-0': 3,
      'events-1': 5,
      'events-2': 4,
      'events.vlsn-0': 12,
    })
    await close(scene)
  })

  test('falls with an explicit lower commit, of a partition or of the view', async () => {
    const { scene } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 10 })
    await scene.commit({ 'events-1': 2 })
    expect(await scene.committed(['events.vlsn-0', 'events-0'])).toEqual({
      'events.vlsn-0': 7,
      'events-0': 3,
    })
    // The others are still where they were.
    await scene.commit({ 'events-1': 9 })
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 28 })
    await scene.commit({ 'events.vlsn-0': 6 })
    expect(await scene.committed(['events-0', 'events-1'])).toEqual({ 'events-0': 2, 'events-1': 2 })
    // Now they are not: the view was committed for all.
    await scene.commit({ 'events-1': 9 })
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 6 })
    await close(scene)
  })

  test('is the same after a restart, and what was committed above it is to be committed again', async () => {
    const { scene } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    const before = await scene.committed()
    const next = await scene.crash()
    expect(await next.committed()).toEqual(before)
    await next.commit({ 'events-2': 10 })
    expect(await next.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 15 })
    await next.commit({ 'events-0': 10, 'events-1': 10 })
    expect(await next.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 30 })
    await close(scene, next)
  })

  test('holds for partitions that are added, and goes by records that were deleted', async () => {
    const { scene, events } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    events.grow(5)
    events.write(10)
    expect(await scene.committed()).toMatchObject({ 'events-2': 4, 'events-3': 0, 'events-4': 0 })
    await scene.commit({ 'events-0': 12, 'events-1': 12, 'events-2': 12 })
    expect(await scene.committed(['events.vlsn-0', 'events-4'])).toEqual({
      'events.vlsn-0': 33,
      'events-4': 0,
    })
    events.deleteBefore(3, 2)
    await scene.commit({ 'events-4': 1 })
    expect(await scene.committed(['events.vlsn-0', 'events-3'])).toEqual({
      'events.vlsn-0': 39,
      'events-3': 2,
    })
    await close(scene)
  })

  test('leaves topics without VLSNs alone', async () => {
    const { scene } = await eventsScene()
    await scene.commit({ 'orders-0': 7, 'orders-1': 3 })
    expect(await scene.committed()).toEqual({ 'orders-0': 7, 'orders-1': 3 })
    expect(logged(scene).records).toEqual(['orders-0: 7 note', 'orders-1: 3 note'])
    await close(scene)
  })

  test('is refused where the broker could not read the VLSNs, and stays', async () => {
    const { scene, events } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    events.isWhole = false
    expect(await scene.commit({ 'events-0': 1, 'orders-0': 2 })).toEqual({
      'events-0': 'KAFKA_STORAGE_ERROR',
      'orders-0': 'NONE',
    })
    expect(await scene.committed(['events-0', 'orders-0'])).toEqual({ 'events-0': -1, 'orders-0': 2 })
    events.isWhole = true
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 14 })
    await close(scene)
  })

  test('goes when it is deleted; a partition whose offset is deleted counts as its start', async () => {
    const { scene } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    const remove = (name: string, ...indexes: number[]) =>
      scene.coordinator.deleteOffsets({
        groupId: group,
        topics: [{ name, partitions: indexes.map(partitionIndex => ({ partitionIndex })) }],
      })
    expect(
      (await remove('events', 1, 3))[0]!.partitions.map(({ errorCode }) => errorName(errorCode)),
    ).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 1 })
    await remove('events', 0, 1, 2)
    expect(await scene.committed()).toEqual({})
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    await remove('events.vlsn', 0)
    await scene.commit({ 'events-2': 4 })
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 0 })
    await scene.coordinator.delete([group])
    expect(await scene.committed()).toEqual({})
    await close(scene)
  })

  test('goes with its topic; what was heard of it says nothing of another of that name', async () => {
    const { scene, events } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    await scene.coordinator.topicsDeleted([{ name: events.viewName, id: events.viewId }])
    await scene.coordinator.topicsDeleted([{ name: events.name, id: events.id }])
    expect(await scene.committed()).toEqual({})
    await scene.commit({ 'events-2': 4 })
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 0 })
    await close(scene)
  })

  test('is in use while members read the topic, so that it is not deleted, nor goes for its age', async () => {
    const { scene } = await eventsScene('vlsn', 30, {
      offsetsRetentionMs: 60_000,
      offsetsRetentionCheckIntervalMs: 10_000,
    })
    const protocols = [{ name: 'range', metadata: subscription('events') }]
    const { ids, generationId } = await scene.form(['a'], { protocols })
    await scene.commit({ 'events-0': 10, 'orders-0': 1 }, { memberId: ids[0]!, generationId })
    for (let timeMs = 0; timeMs < 80_000; timeMs += 5_000) {
      await scene.clock.advance(5_000)
      await scene.heartbeat(ids[0]!, generationId)
    }
    expect(await scene.committed()).toEqual({
      'events-0': 1,
      'events-1': 0,
      'events-2': 0,
      'events.vlsn-0': 1,
    })
    const [deleted] = await scene.coordinator.deleteOffsets({
      groupId: group,
      topics: [{ name: 'events.vlsn', partitions: [{ partitionIndex: 0 }] }],
    })
    expect(errorName(deleted!.partitions[0]!.errorCode)).toBe('GROUP_SUBSCRIBED_TO_TOPIC')
    await scene.leave([{ memberId: ids[0]! }])
    await scene.clock.advance(80_000)
    expect(await scene.committed()).toEqual({})
    await close(scene)
  })
})

describe('offsets of a transaction', () => {
  test('count for the number once it is committed, and never if it is aborted', async () => {
    const { scene } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    await commitFor(scene, 1n, { 'events-2': 10 })
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 14 })
    await end(scene, 1n, 'ABORT')
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 14 })
    await commitFor(scene, 1n, { 'events-2': 10 })
    await end(scene, 1n, 'COMMIT')
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 30 })
    // The number is all that is left.
    expect(logged(scene).records.slice(-2)).toEqual([`events.vlsn-0: 30 ${mark}`, 'events-2: none'])
    await close(scene)
  })

  test('lower it where a commit raised it meanwhile, and not where that was of the same partition', async () => {
    const { scene } = await eventsScene()
    await commitFor(scene, 1n, { 'events-1': 3 })
    await scene.commit({ 'events-0': 10, 'events-2': 10 })
    await commitFor(scene, 2n, { 'events-0': 2 })
    await scene.commit({ 'events-0': 9 })
    await end(scene, 1n, 'COMMIT')
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 10 })
    await scene.commit({ 'events-1': 10 })
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 27 })
    await end(scene, 2n, 'COMMIT')
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 27 })
    await close(scene)
  })

  test.each(['vlsn', 'hybrid'] as const)(
    'count under %s where the broker stopped before it said so',
    async name => {
      const { scene } = await eventsScene(name)
      await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
      await commitFor(scene, 1n, { 'events-2': 1 })
      await end(scene, 1n, 'COMMIT')
      const entries = scene.topic.synced[scene.coordinator.partitionOf(group)]!
      entries.length = entries.findLastIndex(entry => 'end' in entry) + 1
      const next = await scene.crash()
      expect(await next.committed(['events.vlsn-0', 'events-2'])).toEqual({
        'events.vlsn-0': 5,
        'events-2': 1,
      })
      await close(next)
      await scene.coordinator.close()
    },
  )

  test('that are of the view are of all partitions', async () => {
    const { scene } = await eventsScene('hybrid')
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    await commitFor(scene, 1n, { 'events.vlsn-0': 6 })
    await end(scene, 1n, 'COMMIT')
    expect(await scene.committed()).toEqual({
      'events-0': 2,
      'events-1': 2,
      'events-2': 2,
      'events.vlsn-0': 6,
    })
    const next = await scene.crash()
    expect(await next.committed()).toEqual(await scene.committed())
    await close(scene, next)
  })

  test('make what hangs on them unstable for those who ask', async () => {
    const { scene } = await eventsScene()
    await scene.commit({ 'events-0': 10, 'events-1': 10, 'events-2': 4 })
    await commitFor(scene, 1n, { 'events-2': 10 })
    const [fetched] = await scene.coordinator.fetchOffsets(
      [{ groupId: group, memberId: null, memberEpoch: -1, topics: null }],
      caller(8),
      true,
    )
    const told = fetched!.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => `${name}-${partitionIndex} ${errorName(errorCode)}`),
    )
    expect(told.toSorted()).toEqual([
      'events-0 NONE',
      'events-1 NONE',
      'events-2 UNSTABLE_OFFSET_COMMIT',
      'events.vlsn-0 UNSTABLE_OFFSET_COMMIT',
    ])
    await close(scene)
  })
})

describe('both', () => {
  test('tell each partition its own offset, and keep the number beside them', async () => {
    const { scene } = await eventsScene('hybrid')
    await scene.commit({ 'events-0': 10, 'events-2': 4 })
    expect(logged(scene).records).toEqual([
      'events-0: 10 note',
      'events-2: 4 note',
      `events.vlsn-0: 1 ${mark}`,
    ])
    await scene.commit({ 'events-1': 9 })
    const all = { 'events-0': 10, 'events-1': 9, 'events-2': 4, 'events.vlsn-0': 14 }
    expect(await scene.committed()).toEqual(all)
    const next = await scene.crash()
    expect(await next.committed()).toEqual(all)
    await close(scene, next)
  })

  test('have new partitions go on where the number leaves them, and a reader of the view too', async () => {
    const { scene, events } = await eventsScene('hybrid')
    await scene.commit({ 'events-0': 10, 'events-1': 9, 'events-2': 4 })
    events.grow(4)
    events.write(8)
    expect(await scene.committed(['events-3', 'events-0'])).toEqual({ 'events-3': 0, 'events-0': 10 })
    expect(await scene.committed(['events.vlsn-0'])).toEqual({ 'events.vlsn-0': 14 })
    await close(scene)
  })

  test('follow the view where that is committed', async () => {
    const { scene } = await eventsScene('hybrid')
    await scene.commit({ 'events-0': 10, 'events-1': 9, 'events-2': 4 })
    await scene.commit({ 'events.vlsn-0': 6 }, { metadata: 'again' })
    expect(await scene.committed()).toEqual({
      'events-0': 2,
      'events-1': 2,
      'events-2': 2,
      'events.vlsn-0': 6,
    })
    expect(logged(scene).records.at(-1)).toBe(`events.vlsn-0: 6 ${mark} again`)
    await close(scene)
  })
})

describe('a group that changes its strategy', () => {
  test('keeps its position in one number, and then in offsets again', async () => {
    const { scene } = await eventsScene('per_partition')
    await scene.commit({ 'events-0': 10, 'events-1': 9, 'events-2': 4 })
    expect(await scene.committed()).toEqual({ 'events-0': 10, 'events-1': 9, 'events-2': 4 })
    choose(scene, 'vlsn')
    const number = { 'events-0': 5, 'events-1': 5, 'events-2': 4, 'events.vlsn-0': 14 }
    expect(await scene.committed()).toEqual(number)
    await scene.commit({ 'events-2': 5 })
    expect(logged(scene).records.slice(-4)).toEqual([
      `events.vlsn-0: 17 ${mark}`,
      'events-0: none',
      'events-1: none',
      'events-2: none',
    ])
    await scene.commit({ 'events-2': 9 })
    expect(await scene.committed(['events.vlsn-0', 'events-0'])).toEqual({
      'events.vlsn-0': 28,
      'events-0': 10,
    })
    choose(scene, 'per_partition')
    const offsets = { 'events-0': 10, 'events-1': 9, 'events-2': 9, 'events.vlsn-0': 28 }
    expect(await scene.committed()).toEqual(offsets)
    await scene.commit({ 'events-2': 10 })
    expect(await scene.committed()).toEqual({ ...offsets, 'events-2': 10 })
    expect(logged(scene).records.slice(-2)).toEqual([`events.vlsn-0: 28 ${mark}.before`, 'events-2: 10 note'])
    const next = await scene.crash()
    expect(await next.committed()).toEqual(await scene.committed())
    await close(scene, next)
  })

  test('had read the view, or the topic: what was committed last is believed', async () => {
    const { scene } = await eventsScene('per_partition')
    await scene.commit({ 'events-0': 2, 'events-1': 2 })
    await scene.commit({ 'events.vlsn-0': 15 })
    await scene.commit({ 'events-1': 4 })
    // Kafka's way: nobody has committed partition 2.
    expect(await scene.committed(['events-2'])).toEqual({ 'events-2': -1 })
    choose(scene, 'hybrid')
    const offsets = { 'events-0': 5, 'events-1': 4, 'events-2': 5, 'events.vlsn-0': 13 }
    expect(await scene.committed(Object.keys(offsets))).toEqual(offsets)
    choose(scene, 'vlsn')
    await scene.commit({ 'events-1': 5 })
    expect(await scene.committed()).toEqual({
      'events-0': 5,
      'events-1': 5,
      'events-2': 5,
      'events.vlsn-0': 15,
    })
    await close(scene)
  })
})
