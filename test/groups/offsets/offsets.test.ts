import { describe, expect, test } from 'vitest'
import { caller, errorOf, GroupScene, idOf, range, unlessParked } from '../../support/group-scene.ts'
import { MemoryStateTopic } from '../../support/memory-state-topic.ts'
import { commitFor, end } from '../commits/support.ts'

describe('OffsetCommit', () => {
  test('of a consumer that assigns partitions to itself makes a group without members', async () => {
    const scene = await GroupScene.open()
    expect(await scene.commit({ 'orders-0': 5, 'payments-3': 7 })).toEqual({
      'orders-0': 'NONE',
      'payments-3': 'NONE',
    })
    expect(await scene.committed()).toEqual({ 'orders-0': 5, 'payments-3': 7 })
    expect(await scene.describe()).toMatchObject({ groupState: 'Empty', protocolType: '' })
  })

  test('keeps what was said with the offset', async () => {
    const scene = await GroupScene.open()
    await scene.commit({ 'orders-0': 5 }, { metadata: 'überall' })
    await scene.commit({ 'orders-1': 6 }, { metadata: null })
    const [group] = await scene.coordinator.fetchOffsets([{ groupId: 'readers', topics: null }], caller(8))
    expect(group!.topics[0]!.partitions).toEqual([
      { partitionIndex: 0, committedOffset: 5n, committedLeaderEpoch: 3, metadata: 'überall', errorCode: 0 },
      { partitionIndex: 1, committedOffset: 6n, committedLeaderEpoch: 3, metadata: '', errorCode: 0 },
    ])
  })

  test('of a member is for its own generation', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a'])
    const memberId = ids[0]!
    expect(await scene.commit({ 'orders-0': 1 }, { memberId, generationId })).toEqual({ 'orders-0': 'NONE' })
    const refusals: [object, string][] = [
      [{ memberId, generationId: generationId + 1 }, 'ILLEGAL_GENERATION'],
      [{ memberId: 'who', generationId }, 'UNKNOWN_MEMBER_ID'],
      [{ memberId, generationId, groupInstanceId: 'i' }, 'UNKNOWN_MEMBER_ID'],
      [{}, 'UNKNOWN_MEMBER_ID'],
    ]
    for (const [options, error] of refusals) {
      expect(await scene.commit({ 'orders-0': 2 }, options)).toEqual({ 'orders-0': error })
    }
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
  })

  test('is taken while a rebalance is prepared, and refused while the leader assigns', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a', 'b'])
    const [a, b] = ids as [string, string]
    const joining = [scene.join({ memberId: a })]
    expect(await scene.commit({ 'orders-0': 1 }, { memberId: b, generationId })).toEqual({
      'orders-0': 'NONE',
    })
    joining.push(scene.join({ memberId: b }))
    await Promise.all(joining)
    expect(await scene.commit({ 'orders-0': 2 }, { memberId: b, generationId: 2 })).toEqual({
      'orders-0': 'REBALANCE_IN_PROGRESS',
    })
  })

  test.each([
    [8, 'ILLEGAL_GENERATION'],
    [9, 'GROUP_ID_NOT_FOUND'],
  ])('in version %i, of a member of a group that is not there, is %s', async (version, error) => {
    const scene = await GroupScene.open()
    expect(await scene.commit({ 'orders-0': 1 }, { memberId: 'a', generationId: 1, version })).toEqual({
      'orders-0': error,
    })
  })

  test('refuses what does not exist one by one, and keeps the rest', async () => {
    const scene = await GroupScene.open()
    expect(await scene.commit({ 'orders-0': 1, 'orders-8': 1, 'ghosts-0': 1 })).toEqual({
      'orders-0': 'NONE',
      'orders-8': 'UNKNOWN_TOPIC_OR_PARTITION',
      'ghosts-0': 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    expect(await scene.commit({ 'orders-1': 1, 'ghosts-0': 1 }, { version: 10 })).toEqual({
      'orders-1': 'NONE',
      'ghosts-0': 'UNKNOWN_TOPIC_ID',
    })
    expect(await scene.committed()).toEqual({ 'orders-0': 1, 'orders-1': 1 })
  })

  test('refuses metadata that is too long, by its characters', async () => {
    const scene = await GroupScene.open({ offsetMetadataMaxBytes: 4 })
    expect(await scene.commit({ 'orders-0': 1 }, { metadata: 'üüüü' })).toEqual({ 'orders-0': 'NONE' })
    expect(await scene.commit({ 'orders-0': 2 }, { metadata: 'fünf!' })).toEqual({
      'orders-0': 'OFFSET_METADATA_TOO_LARGE',
    })
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
  })

  test('puts all of its offsets into one append, so that a crash keeps all or none', async () => {
    const scene = await GroupScene.open()
    scene.topic.hold()
    const committing = scene.commit({ 'orders-0': 1, 'orders-1': 2, 'payments-0': 3 })
    expect(scene.topic.appendCount).toBe(1)
    expect(await (await scene.crash()).committed()).toEqual({})
    scene.topic.release()
    await committing
    expect(await (await scene.crash()).committed()).toEqual({ 'orders-0': 1, 'orders-1': 2, 'payments-0': 3 })
  })

  test('of many consumers is appended at once, so that the log can share its blocks', async () => {
    const scene = await GroupScene.open({}, { topic: new MemoryStateTopic(1) })
    scene.topic.hold()
    const committing = Array.from({ length: 100 }, (_, index) =>
      scene.commit({ 'orders-0': index }, { group: `g${index}` }),
    )
    expect(scene.topic.appendCount).toBe(100)
    expect(await unlessParked(committing[0]!)).toBe('parked')
    scene.topic.release()
    expect(new Set((await Promise.all(committing)).map(result => result['orders-0']))).toEqual(
      new Set(['NONE']),
    )
  })
})

describe('OffsetFetch', () => {
  test('tells -1 of what was never committed, in any group', async () => {
    const scene = await GroupScene.open()
    await scene.commit({ 'orders-0': 5 })
    expect(await scene.committed(['orders-0', 'orders-1', 'ghosts-0'])).toEqual({
      'orders-0': 5,
      'orders-1': -1,
      'ghosts-0': -1,
    })
    expect(await scene.committed(['orders-0'], 'nobody')).toEqual({ 'orders-0': -1 })
    expect(await scene.committed(null, 'nobody')).toEqual({})
  })

  test('waits for what is on its way to the disk', async () => {
    const scene = await GroupScene.open()
    await scene.commit({ 'orders-0': 5 })
    scene.topic.hold()
    const committing = scene.commit({ 'orders-0': 6 })
    const fetching = scene.committed()
    expect(await unlessParked(fetching)).toBe('parked')
    scene.topic.release()
    expect(await fetching).toEqual({ 'orders-0': 6 })
    await committing
  })

  test('by ids names unknown ones, and does not take a topic for another that had its name', async () => {
    const scene = await GroupScene.open()
    await scene.commit({ 'orders-0': 5 }, { version: 10 })
    const ask = (topicId: string) =>
      scene.coordinator.fetchOffsets(
        [{ groupId: 'readers', topics: [{ name: '', topicId, partitionIndexes: [0] }] }],
        caller(10),
      )
    const [known] = await ask(idOf('orders'))
    expect(known!.topics[0]).toMatchObject({
      topicId: idOf('orders'),
      partitions: [{ committedOffset: 5n, errorCode: 0 }],
    })
    const [unknown] = await ask(idOf('ghosts'))
    expect(unknown!.topics[0]!.partitions[0]).toMatchObject({ committedOffset: -1n, errorCode: 100 })
    const [all] = await scene.coordinator.fetchOffsets([{ groupId: 'readers', topics: null }], caller(10))
    expect(all!.topics).toMatchObject([{ topicId: idOf('orders'), partitions: [{ committedOffset: 5n }] }])
  })

  test('answers several groups, in order', async () => {
    const scene = await GroupScene.open()
    await scene.commit({ 'orders-0': 1 }, { group: 'g1' })
    await scene.commit({ 'orders-0': 2 }, { group: 'g2' })
    const fetched = await scene.coordinator.fetchOffsets(
      ['g2', 'nobody', 'g1'].map(groupId => ({ groupId, topics: null })),
      caller(8),
    )
    expect(
      fetched.map(({ groupId, topics }) => [groupId, topics[0]?.partitions[0]!.committedOffset]),
    ).toEqual([
      ['g2', 2n],
      ['nobody', undefined],
      ['g1', 1n],
    ])
  })
})

/** An OffsetDelete of partitions given as 'orders-0'. */
const request = (groupId: string, ...names: string[]) => ({
  groupId,
  topics: names.map(name => {
    const [topic, partition] = name.split('-') as [string, string]
    return { name: topic, partitions: [{ partitionIndex: Number(partition) }] }
  }),
})

describe('OffsetDelete', () => {
  test('removes offsets, and leaves those of topics that the members read', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a'])
    await scene.commit({ 'orders-0': 1, 'payments-0': 2 }, { memberId: ids[0]!, generationId })
    const topics = await scene.coordinator.deleteOffsets(
      request('readers', 'orders-0', 'payments-0', 'payments-1', 'ghosts-0'),
    )
    expect(topics.map(({ partitions }) => partitions[0]!.errorCode)).toEqual([86, 0, 0, 3])
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
    expect(await (await scene.crash()).committed()).toEqual({ 'orders-0': 1 })
  })

  test('removes any offset of a group that is empty', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a'])
    await scene.commit({ 'orders-0': 1 }, { memberId: ids[0]!, generationId })
    await scene.leave([{ memberId: ids[0]! }])
    const topics = await scene.coordinator.deleteOffsets(request('readers', 'orders-0'))
    expect(topics[0]!.partitions[0]!.errorCode).toBe(0)
    expect(await scene.committed()).toEqual({})
  })

  test('is refused where nobody knows what the members read, and where there is no group', async () => {
    const scene = await GroupScene.open()
    await scene.form(['a'], { protocolType: 'connect' })
    expect(await errorOf(scene.coordinator.deleteOffsets(request('readers', 'orders-0')))).toBe(
      'NON_EMPTY_GROUP',
    )
    expect(await errorOf(scene.coordinator.deleteOffsets(request('nobody', 'orders-0')))).toBe(
      'GROUP_ID_NOT_FOUND',
    )
    expect(await errorOf(scene.coordinator.deleteOffsets(request('', 'orders-0')))).toBe('INVALID_GROUP_ID')
  })

  test('leaves the offsets of consumers whose metadata nobody can read', async () => {
    const scene = await GroupScene.open()
    await scene.form(['a'], { protocols: [{ name: 'range', metadata: Buffer.from([0]) }] })
    const topics = await scene.coordinator.deleteOffsets(request('readers', 'orders-0'))
    expect(topics[0]!.partitions[0]!.errorCode).toBe(86)
  })
})

describe('a deleted topic', () => {
  test('takes its offsets along, in every group, and for good', async () => {
    const scene = await GroupScene.open()
    for (const group of ['g1', 'g2', 'g3']) await scene.commit({ 'orders-0': 1, 'payments-0': 2 }, { group })
    await scene.coordinator.topicsDeleted([{ name: 'orders', id: idOf('orders') }])
    const after = await scene.crash()
    for (const group of ['g1', 'g2', 'g3']) {
      expect(await scene.committed(null, group)).toEqual({ 'payments-0': 2 })
      expect(await after.committed(null, group)).toEqual({ 'payments-0': 2 })
    }
  })

  test('has taken its offsets along after a crash that came before they were gone', async () => {
    const scene = await GroupScene.open()
    await scene.commit({ 'orders-0': 1, 'payments-0': 2 })
    await commitFor(scene, 7n, { 'orders-1': 3 })
    scene.topic.hold()
    scene.topics.delete('orders')
    void scene.coordinator.topicsDeleted([{ name: 'orders', id: idOf('orders') }])
    const next = await scene.crash()
    expect(await next.committed()).toEqual({ 'payments-0': 2 })
    next.topics.create('orders', 8)
    await end(next, 7n, 'COMMIT')
    expect(await next.committed(['orders-0', 'orders-1'])).toEqual({ 'orders-0': -1, 'orders-1': -1 })
    expect(await next.coordinator.audit()).toEqual([])
  })

  test('leaves the offsets of another topic that has its name by now', async () => {
    const scene = await GroupScene.open()
    await scene.commit({ 'orders-0': 1 })
    await scene.coordinator.topicsDeleted([{ name: 'orders', id: idOf('an older one') }])
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
  })
})

test('offsets that members commit outlive the group’s members', async () => {
  const scene = await GroupScene.open()
  const { ids, generationId } = await scene.form(['a'], { protocols: range })
  await scene.commit({ 'orders-0': 9 }, { memberId: ids[0]!, generationId })
  await scene.leave([{ memberId: ids[0]! }])
  expect(await scene.committed()).toEqual({ 'orders-0': 9 })
  expect(await scene.commit({ 'orders-0': 3 })).toEqual({ 'orders-0': 'NONE' })
})
