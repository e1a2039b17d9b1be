import { describe, expect, test } from 'vitest'
import { GroupScene } from '../../support/group-scene.ts'
import { GroupTopics } from '../../support/group-topics.ts'
import { TestConsumer } from '../../support/test-consumer.ts'
import { commitFor, end } from '../commits/support.ts'

const settings = { offsetsRetentionMs: 60_000, offsetsRetentionCheckIntervalMs: 10_000 }

async function groupIds(scene: GroupScene): Promise<string[]> {
  return (await scene.coordinator.list([], [])).map(({ groupId }) => groupId)
}

async function close(scene: GroupScene): Promise<void> {
  expect(await scene.coordinator.audit()).toEqual([])
  expect(scene.bugs).toEqual([])
  await scene.coordinator.close()
  expect(scene.clock.timerCount).toBe(0)
}

describe('offsets of a simple group', () => {
  test('go one by one, by the time of their commit, and the group with the last', async () => {
    const scene = await GroupScene.open(settings)
    await scene.commit({ 'orders-0': 1 })
    await scene.clock.advance(30_000)
    await scene.commit({ 'orders-1': 2 })
    await scene.clock.advance(30_000)
    expect(await scene.committed()).toEqual({ 'orders-1': 2 })
    await scene.clock.advance(30_000)
    expect(await scene.committed()).toEqual({})
    expect(await groupIds(scene)).toEqual([])
    const next = await scene.crash()
    expect(await groupIds(next)).toEqual([])
    await close(next)
    await close(scene)
  })

  test('go when the commit has said so', async () => {
    const scene = await GroupScene.open(settings)
    await scene.commit({ 'orders-0': 1 }, { version: 4, retentionTimeMs: 5_000n })
    await scene.commit({ 'orders-1': 1 }, { version: 4, retentionTimeMs: 600_000n })
    await scene.clock.advance(10_000)
    expect(await scene.committed()).toEqual({ 'orders-1': 1 })
    await scene.clock.advance(90_000)
    expect(await scene.committed()).toEqual({ 'orders-1': 1 })
    await close(scene)
  })
})

describe('offsets of a transaction under way', () => {
  test('are found among those of many producers', async () => {
    const count = 200
    const topics = new GroupTopics({ orders: count })
    const scene = await GroupScene.open(settings, { topics })
    const offsets = Object.fromEntries(Array.from({ length: count }, (_, index) => [`orders-${index}`, 1]))
    await scene.commit(offsets)
    for (let producer = 0; producer < count; producer++)
      await commitFor(scene, BigInt(producer), { 'orders-0': 2 })
    await scene.clock.advance(60_000)
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
    expect(await groupIds(scene)).toEqual(['readers'])
    await close(scene)
  })

  test('keep what they are to replace from going, and count once it is committed', async () => {
    const scene = await GroupScene.open(settings)
    await scene.commit({ 'orders-0': 1, 'orders-1': 1 })
    await scene.clock.advance(50_000)
    await commitFor(scene, 7n, { 'orders-0': 2 })
    await scene.clock.advance(10_000)
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
    await end(scene, 7n, 'COMMIT')
    expect(await scene.committed()).toEqual({ 'orders-0': 2 })
    await close(scene)
  })

  test('keep their group from going, though it has no others', async () => {
    const scene = await GroupScene.open(settings)
    await commitFor(scene, 7n, { 'orders-0': 2 })
    await scene.clock.advance(10_000)
    await end(scene, 7n, 'COMMIT')
    expect(await groupIds(scene)).toEqual(['readers'])
    expect(await scene.committed()).toEqual({ 'orders-0': 2 })
    await close(scene)
  })
})

describe('offsets of a classic group', () => {
  test('stay while members read the topic, and go a retention after the last has left', async () => {
    const scene = await GroupScene.open(settings)
    const { ids, generationId } = await scene.form(['a'])
    await scene.commit({ 'orders-0': 1, 'payments-0': 2 }, { memberId: ids[0]!, generationId })
    for (let time = 0; time < 60_000; time += 5_000) {
      await scene.clock.advance(5_000)
      await scene.heartbeat(ids[0]!, generationId)
    }
    // Nobody reads payments.
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
    await scene.leave([{ memberId: ids[0]! }])
    await scene.clock.advance(50_000)
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
    await scene.clock.advance(10_000)
    expect(await scene.committed()).toEqual({})
    expect(await groupIds(scene)).toEqual([])
    await close(scene)
  })

  test('stay where nobody can tell what the members read', async () => {
    const scene = await GroupScene.open(settings)
    const { ids, generationId } = await scene.form(['w'], { protocolType: 'connect' })
    await scene.commit({ 'orders-0': 1 }, { memberId: ids[0]!, generationId })
    for (let time = 0; time < 80_000; time += 5_000) {
      await scene.clock.advance(5_000)
      await scene.heartbeat(ids[0]!, generationId)
    }
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
    await close(scene)
  })
})

describe('offsets of a consumer group', () => {
  test('stay while members read the topic, and go by the time of their commit when nobody does', async () => {
    const scene = await GroupScene.open(settings)
    const a = await new TestConsumer(scene, 'a').join()
    const commit = (offsets: Record<string, number>) =>
      scene.commit(offsets, { memberId: 'a', generationId: a.epoch })
    await commit({ 'orders-0': 1 })
    await commit({ 'payments-0': 2 })
    await scene.clock.advance(40_000)
    await a.beat()
    await scene.clock.advance(20_000)
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
    await a.leave()
    await scene.clock.advance(10_000)
    expect(await scene.committed()).toEqual({})
    expect(await groupIds(scene)).toEqual([])
    await close(scene)
  })
})

test('an empty group without offsets goes at the next look', async () => {
  const scene = await GroupScene.open(settings)
  const a = await new TestConsumer(scene, 'a').join()
  await a.leave()
  expect(await groupIds(scene)).toEqual(['readers'])
  await scene.clock.advance(10_000)
  expect(await groupIds(scene)).toEqual([])
  await close(scene)
})
