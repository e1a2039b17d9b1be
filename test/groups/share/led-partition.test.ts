import { describe, expect, test } from 'vitest'
import { acknowledgeTypes } from '../../../src/groups/share/acknowledgement.ts'
import type { LedPartition } from '../../../src/groups/share/led-partition.ts'
import { errorOf, unlessParked } from '../../support/group-scene.ts'
import { shareKey, ShareScene } from '../../support/share-scene.ts'

const { accept, release } = acknowledgeTypes
const group = shareKey.groupId

function say(
  led: LedPartition,
  memberId: string,
  firstOffset: number,
  lastOffset: number,
  type: number = accept,
) {
  return led.acknowledge(memberId, [{ firstOffset, lastOffset, types: [type] }])
}

describe('a share partition that nobody has read begins', () => {
  test.each([
    ['earliest', 2],
    ['latest', 10],
    ['by_duration:PT30S', 6],
    ['by_duration:PT1S', 10],
    ['by_duration:PT29.9999S', 6],
  ])('with %s at offset %i, and there after a restart as well', async (reset, offset) => {
    const scene = await ShareScene.open()
    scene.configs.set('share.auto.offset.reset', group, reset)
    scene.log.append(6, scene.clock.now() - 60_000)
    scene.log.append(4, scene.clock.now() - 20_000)
    scene.log.logStartOffset = 2n
    expect((await scene.open()).nextFetchOffset).toBe(offset)
    scene.log.append(5)
    expect((await (await scene.crash()).open()).nextFetchOffset).toBe(offset)
  })
})

test('an acknowledgement is answered when it is on disk', async () => {
  const scene = await ShareScene.open()
  scene.configs.set('share.auto.offset.reset', group, 'earliest')
  scene.log.append(10)
  const led = await scene.open()
  expect(scene.acquire(led, 'a', 5)).toEqual([[0, 4, 1]])
  scene.topic.hold()
  const answer = say(led, 'a', 0, 4)
  expect(await unlessParked(answer)).toBe('parked')
  const again = await (await scene.crash()).open()
  expect(scene.acquire(again, 'b', 5)).toEqual([[0, 4, 1]])
  scene.topic.release()
  await answer
})

test('a lock that expires frees the records, and wakes who waits', async () => {
  const scene = await ShareScene.open()
  scene.configs.set('share.auto.offset.reset', group, 'earliest')
  scene.log.append(4)
  const led = await scene.open()
  scene.acquire(led, 'a', 2)
  await scene.clock.advance(20_000)
  scene.acquire(led, 'b', 2)
  let wakes = 0
  led.onAdvance(() => wakes++)
  await scene.clock.advance(9_999)
  expect([wakes, scene.acquire(led, 'c')]).toEqual([0, []])
  await scene.clock.advance(1)
  expect([wakes, scene.acquire(led, 'c')]).toEqual([1, [[0, 1, 2]]])
  await scene.clock.advance(20_000)
  expect(scene.acquire(led, 'c')).toEqual([[2, 3, 2]])
  expect(await errorOf(say(led, 'a', 0, 1))).toBe('INVALID_RECORD_STATE')
})

test('how often a record was handed out is known after a restart', async () => {
  let scene = await ShareScene.open()
  scene.configs.set('share.auto.offset.reset', group, 'earliest')
  scene.configs.set('share.delivery.count.limit', group, 3)
  scene.log.append(2)
  for (const count of [1, 2, 3]) {
    const led = await scene.open()
    expect(scene.acquire(led, 'a')).toEqual([[0, 1, count]])
    await say(led, 'a', 0, 1, release)
    scene = await scene.crash()
  }
  expect((await scene.open()).nextFetchOffset).toBe(2)
})

test('a write that fails ends it, and another goes on from what is on disk', async () => {
  const scene = await ShareScene.open()
  scene.configs.set('share.auto.offset.reset', group, 'earliest')
  scene.log.append(4)
  const led = await scene.open()
  scene.acquire(led, 'a', 2)
  await say(led, 'a', 0, 0)
  scene.topic.fail(new Error('the disk is gone'))
  expect(await errorOf(say(led, 'a', 1, 1))).toBe('NOT_COORDINATOR')
  expect(led.isOver).toBe(true)
  expect(await errorOf(say(led, 'a', 1, 1))).toBe('NOT_LEADER_OR_FOLLOWER')
  scene.topic.heal()
  const next = await scene.open()
  expect(scene.acquire(next, 'b')).toEqual([[1, 3, 1]])
})

test('offsets that are set anew end it', async () => {
  const scene = await ShareScene.open()
  scene.log.append(4)
  const led = await scene.open()
  await scene.states.initialize(shareKey, 7, 2)
  expect(led.isOver).toBe(true)
  const next = await scene.open()
  expect(scene.acquire(next, 'a')).toEqual([[2, 3, 1]])
})
