import { expect, test } from 'vitest'
import { readShareStateRecord, shareSnapshot, shareUpdate } from '../../../src/groups/share/state/records.ts'
import { faultOfCoordinatorKey } from '../../../src/groups/share/state/key.ts'
import { errorOf } from '../../support/group-scene.ts'
import { idOf } from '../../support/group-topics.ts'
import { settled } from '../../support/manual-clock.ts'
import { MemoryStateTopic } from '../../support/memory-state-topic.ts'
import { shareKey, ShareScene } from '../../support/share-scene.ts'

const batch = (firstOffset: number, deliveryState: number) => ({
  firstOffset,
  lastOffset: firstOffset,
  deliveryState,
  deliveryCount: 1,
})

function writeOf(startOffset: number, batches: ReturnType<typeof batch>[] = []) {
  return { stateEpoch: 0, leaderEpoch: 1, startOffset, deliveryCompleteCount: 0, batches }
}

test('snapshots and updates are told apart by their keys, as Kafka numbers them', () => {
  const state = {
    snapshotEpoch: 3,
    stateEpoch: 2,
    leaderEpoch: 1,
    startOffset: 7,
    deliveryCompleteCount: 1,
    createTimestamp: 5n,
    batches: [batch(8, 2)],
  }
  const snapshot = shareSnapshot(shareKey, state, 6)
  expect(snapshot.key.readInt16BE(0)).toBe(0)
  expect(readShareStateRecord(snapshot.key, snapshot.value)).toMatchObject({
    type: 'snapshot',
    key: shareKey,
    value: state,
  })
  expect(readShareStateRecord(snapshot.key, null)).toEqual({ type: 'snapshot', key: shareKey, value: null })
  const update = shareUpdate(shareKey, state)
  expect(update.key.readInt16BE(0)).toBe(1)
  const { stateEpoch, createTimestamp, ...change } = state
  expect(readShareStateRecord(update.key, update.value)).toMatchObject({
    type: 'update',
    key: shareKey,
    value: change,
  })
  expect([stateEpoch, createTimestamp]).toEqual([2, 5n])
})

test('after so many updates comes a snapshot, and all is known again from there', async () => {
  const scene = await ShareScene.open({ topic: new MemoryStateTopic(1), updatesPerSnapshot: 3 })
  await scene.states.ensure(shareKey)
  for (let offset = 0; offset < 8; offset++)
    await scene.states.write(shareKey, writeOf(0, [batch(offset, offset % 2 ? 2 : 0)]))
  const types = scene.topic.recordsOf(0).map(({ key, value }) => readShareStateRecord(key, value)!.type)
  expect(types.join(' ')).toBe('snapshot update update update snapshot update update update snapshot')
  const after = await scene.crash()
  expect((await after.states.summary(shareKey))!.batches).toHaveLength(8)
  expect(await after.states.audit()).toEqual([])
})

test('an older leader, and one that has not heard of a new beginning, are fenced', async () => {
  const scene = await ShareScene.open()
  expect(await errorOf(scene.states.read(shareKey, 1))).toBe('INVALID_REQUEST')
  expect(await errorOf(scene.states.write(shareKey, writeOf(0)))).toBe('INVALID_REQUEST')
  await scene.states.ensure(shareKey)
  await scene.states.read(shareKey, 5)
  expect(await errorOf(scene.states.read(shareKey, 4))).toBe('FENCED_LEADER_EPOCH')
  expect(await errorOf(scene.states.write(shareKey, writeOf(0)))).toBe('FENCED_LEADER_EPOCH')
  await scene.states.initialize(shareKey, 2, 9)
  expect(await errorOf(scene.states.write(shareKey, writeOf(0)))).toBe('FENCED_STATE_EPOCH')
  expect(await errorOf(scene.states.initialize(shareKey, 1, 0))).toBe('FENCED_STATE_EPOCH')
  expect(await scene.states.summary(shareKey)).toMatchObject({ stateEpoch: 2, startOffset: 9 })
})

test('the log stays short, however much is written, and whoever else does not write', async () => {
  const scene = await ShareScene.open({ topic: new MemoryStateTopic(1) })
  const idle = { ...shareKey, partition: 1 }
  await scene.states.ensure(idle)
  await scene.states.write(idle, writeOf(3, [batch(4, 2)]))
  await scene.states.ensure(shareKey)
  for (let offset = 0; offset < 25_000; offset += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, index) => scene.states.write(shareKey, writeOf(offset + index))),
    )
    await settled()
    expect(scene.topic.synced[0]!.length).toBeLessThan(12_500)
  }
  expect(scene.topic.starts[0]).toBeGreaterThan(10_000)
  const after = await scene.crash()
  expect(await after.states.summary(idle)).toMatchObject({ startOffset: 3, batches: [batch(4, 2)] })
  expect(await after.states.summary(shareKey)).toMatchObject({ startOffset: 24_999 })
})

test('a topic that is deleted is forgotten in every group, and no other', async () => {
  const scene = await ShareScene.open()
  const other = { ...shareKey, topicId: idOf('payments') }
  const ofOthers = { ...shareKey, groupId: 'others' }
  for (const key of [shareKey, other, ofOthers]) await scene.states.ensure(key)
  await scene.states.topicsDeleted(new Set([shareKey.topicId]))
  const known = async (key: typeof shareKey): Promise<boolean> =>
    (await scene.states.summary(key)) !== undefined
  expect([await known(shareKey), await known(ofOthers), await known(other)]).toEqual([false, false, true])
})

test('what FindCoordinator asks for is a group, a topic id and a partition', () => {
  expect(faultOfCoordinatorKey(`g:with:colons:${shareKey.topicId}:0`)).toBeUndefined()
  for (const text of [
    '',
    'g',
    `g:${shareKey.topicId}`,
    `:${shareKey.topicId}:0`,
    `g:${shareKey.topicId}:-1`,
    'g:short:0',
  ])
    expect(faultOfCoordinatorKey(text)).toContain('Invalid key format')
})
