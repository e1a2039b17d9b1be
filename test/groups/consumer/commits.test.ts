import { expect, test } from 'vitest'
import { GroupScene } from '../../support/group-scene.ts'
import { converge, TestConsumer } from '../../support/test-consumer.ts'

test('a member commits at its epoch, and at an older one what it has had since then', async () => {
  const scene = await GroupScene.open()
  const a = await new TestConsumer(scene, 'a').join()
  const before = a.epoch
  const b = await new TestConsumer(scene, 'b').join()
  await converge(a, b)
  expect(a.epoch).toBeGreaterThan(before)
  const commitAs = async (memberId: string, generationId: number, partition: string, version = 9) =>
    (await scene.commit({ [partition]: 5 }, { memberId, generationId, version }))[partition]
  expect(await commitAs('a', a.epoch, a.owned[0]!)).toBe('NONE')
  expect(await commitAs('a', before, a.owned[0]!)).toBe('NONE')
  expect(await commitAs('a', before, b.owned[0]!)).toBe('STALE_MEMBER_EPOCH')
  expect(await commitAs('b', b.epoch - 1, b.owned[0]!)).toBe('STALE_MEMBER_EPOCH')
  expect(await commitAs('a', a.epoch + 1, a.owned[0]!)).toBe('STALE_MEMBER_EPOCH')
  expect(await commitAs('c', a.epoch, a.owned[0]!)).toBe('UNKNOWN_MEMBER_ID')
  expect(await commitAs('a', a.epoch, a.owned[0]!, 8)).toBe('UNSUPPORTED_VERSION')
  expect(await commitAs('', -1, a.owned[0]!)).toBe('UNKNOWN_MEMBER_ID')
  await a.leave()
  await b.leave()
  expect(await commitAs('', -1, 'orders-0')).toBe('NONE')
  await scene.coordinator.close()
})

test('a member fetches offsets at its epoch, an operator at none', async () => {
  const scene = await GroupScene.open()
  const a = await new TestConsumer(scene, 'a').join()
  const errorAs = async (memberId: string | null, memberEpoch: number): Promise<number> => {
    const [fetched] = await scene.coordinator.fetchOffsets(
      [{ groupId: 'readers', memberId, memberEpoch, topics: null }],
      { version: 9, clientId: 'app', clientHost: '/127.0.0.1' },
    )
    return fetched!.errorCode
  }
  expect(await errorAs('a', a.epoch)).toBe(0)
  expect(await errorAs(null, -1)).toBe(0)
  expect(await errorAs('a', a.epoch - 1)).toBe(113)
  expect(await errorAs('b', a.epoch)).toBe(25)
  await scene.coordinator.close()
})
