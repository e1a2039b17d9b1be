import { describe, expect, test } from 'vitest'
import { ShareGroups, type NewStart } from '../../../src/groups/share/groups.ts'
import { ShareCoordinator } from '../../../src/groups/share/state/coordinator.ts'
import { caller, errorOf, GroupScene, silentLogger } from '../../support/group-scene.ts'
import { GroupTopics, idOf } from '../../support/group-topics.ts'
import { settled } from '../../support/manual-clock.ts'
import { MemoryStateTopic } from '../../support/memory-state-topic.ts'
import { shareKey } from '../../support/share-scene.ts'

const { groupId } = shareKey

/** The share groups of a group coordinator and a share coordinator, each with a log that the test holds in its hands. */
async function open({
  groupTopic = new MemoryStateTopic(1),
  stateTopic = new MemoryStateTopic(1),
  topics = new GroupTopics({ orders: 8 }),
} = {}) {
  const scene = await GroupScene.open({}, { topic: groupTopic, topics })
  const states = new ShareCoordinator({
    clock: scene.clock,
    logger: silentLogger,
    topic: stateTopic,
    updatesPerSnapshot: 5,
  })
  await states.load()
  const groups = new ShareGroups(scene.coordinator, states, 100)
  const beat = (memberId: string, memberEpoch: number, group = groupId, names = ['orders']) => {
    const subscribedTopicNames = memberEpoch === 0 ? names : null
    const request = { groupId: group, memberId, memberEpoch, rackId: null, subscribedTopicNames }
    return groups.heartbeat(request, caller(1))
  }
  const deleteOffsets = () => errorOf(groups.deleteOffsets(groupId, new Set([shareKey.topicId])))
  const deleteGroup = async () => {
    await groups.forgetAll(groupId)
    const [result] = await scene.coordinator.delete([groupId])
    return result!.errorCode
  }
  /** The states of the one partition that the tests look at, from its beginning where it is not said. */
  const read = (startOffset = -1) =>
    states.write(shareKey, {
      stateEpoch: 0,
      leaderEpoch: 1,
      startOffset,
      deliveryCompleteCount: 0,
      batches: [],
    })
  const startOffset = async () => (await states.read(shareKey, 1)).startOffset
  const audit = async () => [...(await scene.coordinator.audit()), ...(await states.audit())]
  const crash = () =>
    open({ groupTopic: groupTopic.afterCrash(), stateTopic: stateTopic.afterCrash(), topics })
  return {
    scene,
    groupTopic,
    stateTopic,
    beat,
    deleteOffsets,
    deleteGroup,
    read,
    startOffset,
    audit,
    crash,
    alter: (starts: readonly NewStart[]) => groups.alterOffsets(groupId, starts),
    initialized: () => groups.initialized(groupId),
  }
}

/** One with an empty group that has read up to offset 7. */
async function openEmpty() {
  const place = await open()
  await place.beat('m', 0)
  await place.read(7)
  await place.beat('m', -1)
  return place
}

describe('a member that joins while the offsets of its group are deleted', () => {
  test.each(['deleteOffsets', 'deleteGroup'] as const)('reads from the beginning: %s', async how => {
    const place = await openEmpty()
    place.stateTopic.hold()
    const deleting = place[how]()
    await settled()
    const joining = place.beat('n', 0)
    await settled()
    place.stateTopic.release()
    await deleting
    expect((await joining).assignment!.topicPartitions).toHaveLength(1)
    expect(await place.startOffset()).toBe(-1)
    expect(await place.audit()).toEqual([])
  })

  test('does so too where it joins before the deletion is on disk', async () => {
    const place = await openEmpty()
    place.groupTopic.hold()
    const deleting = place.deleteOffsets()
    const joining = place.beat('n', 0)
    await settled()
    place.groupTopic.release()
    expect(await deleting).toBe('NONE')
    expect((await joining).assignment!.topicPartitions).toHaveLength(1)
    expect(await place.startOffset()).toBe(-1)
  })
})

describe('a deletion that a crash has cut short', () => {
  test.each(['groupTopic', 'stateTopic'] as const)('leaves a group that can read: %s', async held => {
    const place = await openEmpty()
    place[held].hold()
    void place.deleteOffsets()
    await settled()
    const next = await place.crash()
    await next.beat('n', 0)
    // What was not on disk was never asked for.
    expect(await next.startOffset()).toBe(held === 'groupTopic' ? 7 : -1)
    expect(await next.audit()).toEqual([])
  })

  test('is finished by the next one', async () => {
    const place = await openEmpty()
    place.stateTopic.hold()
    void place.deleteOffsets()
    await settled()
    const next = await place.crash()
    expect(await next.deleteGroup()).toBe(0)
    await next.beat('n', 0)
    expect(await next.startOffset()).toBe(-1)
  })
})

test('a member that joins does not take the place of another group that has come meanwhile', async () => {
  const { scene, stateTopic, beat, audit } = await open()
  stateTopic.hold()
  const joining = errorOf(beat('n', 0, 'readers'))
  await settled()
  const { ids, generationId } = await scene.form(['a'])
  stateTopic.release()
  expect(await joining).toBe('GROUP_ID_NOT_FOUND')
  expect(await scene.heartbeat(ids[0]!, generationId)).toBe('NONE')
  expect(await audit()).toEqual([])
})

test('a topic that was deleted is forgotten after a crash that came before it was', async () => {
  const place = await openEmpty()
  place.scene.topics.delete('orders')
  const next = await open({ ...place, topics: place.scene.topics })
  expect(await next.initialized()).toEqual([])
  expect(await next.audit()).toEqual([])
})

test('a topic that is gone is not being deleted any more', async () => {
  const place = await openEmpty()
  place.stateTopic.hold()
  void place.deleteOffsets()
  await settled()
  const next = await place.crash()
  await next.scene.coordinator.topicsDeleted([{ name: 'orders', id: idOf('orders') }])
  expect(next.groupTopic.recordsOf(0).at(-1)!.value!.toString('latin1')).not.toContain('orders')
  expect(await next.audit()).toEqual([])
})

test('topics that are deleted together are forgotten in one record, and so are those that are gone after a crash', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `topic-${index}`)
  const topics = new GroupTopics(Object.fromEntries([...names, 'orders'].map(name => [name, 1])))
  const place = await open({ topics })
  await place.beat('m', 0, groupId, [...names, 'orders'])
  for (const name of names) topics.delete(name)
  const crashed = await place.crash()
  const appended = crashed.groupTopic.recordsOf(0).length - place.groupTopic.recordsOf(0).length
  expect(appended).toBe(1)
  const countBefore = place.groupTopic.recordsOf(0).length
  await place.scene.coordinator.topicsDeleted(names.map(name => ({ name, id: idOf(name) })))
  expect(place.groupTopic.recordsOf(0).length - countBefore).toBe(1)
  for (const each of [place, crashed])
    expect((await each.initialized()).map(({ topicName }) => topicName)).toEqual(['orders'])
  expect(await place.audit()).toEqual([])
})

test('a group goes on from other offsets in thousands of partitions', async () => {
  const partitionCount = 10_000
  const place = await open({ topics: new GroupTopics({ orders: partitionCount }) })
  await place.beat('m', 0)
  await place.beat('m', -1)
  const starts = Array.from({ length: partitionCount }, (_, partition) => ({
    topicId: idOf('orders'),
    topicName: 'orders',
    partition,
    startOffset: 3,
  }))
  await place.alter(starts)
  expect((await place.initialized())[0]!.partitions).toHaveLength(partitionCount)
})
