import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ClassicGroup } from '../../../src/groups/classic/group.ts'
import { ClassicMember } from '../../../src/groups/classic/member.ts'
import { GroupScene, range, subscription, unlessParked } from '../../support/group-scene.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

/** Protocols whose metadata is their own name. */
const protocols = (...names: string[]): { name: string; metadata: Buffer }[] =>
  names.map(name => ({ name, metadata: Buffer.from(name) }))

describe('joining', () => {
  test('a dynamic member is given its id first, and joins with it', async () => {
    const scene = await GroupScene.open()
    const first = await scene.join({ clientId: 'app' })
    expect(first.error).toBe('MEMBER_ID_REQUIRED')
    expect(first.memberId).toMatch(/^app-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)

    const joining = scene.join({ memberId: first.memberId })
    await scene.clock.advance(0)
    expect(await joining).toEqual({
      error: 'NONE',
      memberId: first.memberId,
      generationId: 1,
      leader: first.memberId,
      protocolName: 'range',
      protocolType: 'consumer',
      skipAssignment: false,
      members: [
        {
          memberId: first.memberId,
          groupInstanceId: null,
          metadata: subscription('orders').toString('latin1'),
        },
      ],
    })
  })

  test('an old client joins at once, without an id of its own', async () => {
    const scene = await GroupScene.open()
    const joining = scene.join({ version: 3 })
    await scene.clock.advance(0)
    expect(await joining).toMatchObject({ error: 'NONE', generationId: 1 })
  })

  test('a static member joins at once', async () => {
    const scene = await GroupScene.open()
    const joining = scene.join({ groupInstanceId: 'i1' })
    await scene.clock.advance(0)
    const joined = await joining
    expect(joined).toMatchObject({ error: 'NONE', leader: joined.memberId })
    expect(joined.memberId).toMatch(/^i1-/)
    expect(joined.members[0]!.groupInstanceId).toBe('i1')
  })

  test.each([
    ['an empty group id', { group: '' }, 'INVALID_GROUP_ID'],
    ['a session timeout below the least', { sessionTimeoutMs: 5_999 }, 'INVALID_SESSION_TIMEOUT'],
    ['a session timeout above the greatest', { sessionTimeoutMs: 1_800_001 }, 'INVALID_SESSION_TIMEOUT'],
    ['no protocols', { protocols: [] }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['no protocol type', { protocolType: '' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['an id in a group that is not there', { memberId: 'who' }, 'UNKNOWN_MEMBER_ID'],
    [
      'an id of a static member in a group that is not there',
      { memberId: 'who', groupInstanceId: 'i' },
      'UNKNOWN_MEMBER_ID',
    ],
  ])('%s is refused, and no group comes of it', async (_name, options, error) => {
    const scene = await GroupScene.open()
    expect((await scene.join(options)).error).toBe(error)
    expect(await scene.coordinator.list([], [])).toEqual([])
  })

  test.each([
    ['an id that nobody has', { memberId: 'who' }, 'UNKNOWN_MEMBER_ID'],
    [
      'an instance that nobody is, with an id',
      { memberId: 'who', groupInstanceId: 'i9' },
      'UNKNOWN_MEMBER_ID',
    ],
    ['another protocol type', { protocolType: 'connect' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    [
      'a protocol that the others do not know',
      { protocols: [{ name: 'sticky', metadata: Buffer.alloc(1) }] },
      'INCONSISTENT_GROUP_PROTOCOL',
    ],
  ])('%s is refused by a group with members', async (_name, options, error) => {
    const scene = await GroupScene.open()
    await scene.form(['a'])
    expect((await scene.join(options)).error).toBe(error)
  })

  test('the group chooses the protocol that most members prefer among those that all know', async () => {
    const scene = await GroupScene.open()
    const joins = [
      scene.join({ version: 3, protocols: protocols('onlyMine', 'range', 'sticky') }),
      scene.join({ version: 3, protocols: protocols('sticky', 'range') }),
      scene.join({ version: 3, protocols: protocols('sticky', 'range') }),
    ]
    await scene.clock.advance(0)
    const joined = await Promise.all(joins)
    expect(joined.map(({ protocolName }) => protocolName)).toEqual(['sticky', 'sticky', 'sticky'])
    expect(joined[0]!.members.map(({ metadata }) => metadata)).toEqual(['sticky', 'sticky', 'sticky'])
    expect(joined[1]!.members).toEqual([])
  })

  test('a protocol is chosen in one pass over the members', () => {
    const facts = { groupInstanceId: null, clientId: 'app', clientHost: '/127.0.0.1' }
    const timeouts = { rebalanceTimeoutMs: 60_000, sessionTimeoutMs: 10_000 }
    const clock = new ManualClock()
    const group = new ClassicGroup('readers', clock)
    const memberCount = 100
    for (let index = 0; index < memberCount; index++) {
      const member = { memberId: `m${index}`, protocols: protocols('range', 'sticky') }
      group.add(new ClassicMember({ ...member, ...facts, ...timeouts }, clock), 'consumer')
    }
    const supports = vi.spyOn(ClassicMember.prototype, 'supports')
    onTestFinished(() => supports.mockRestore())
    expect(group.electProtocol()).toBe('range')
    expect(supports.mock.calls.length).toBeLessThanOrEqual(2 * memberCount)
  })

  test('a member id that is not used within its session timeout is forgotten', async () => {
    const scene = await GroupScene.open()
    const { memberId } = await scene.join()
    await scene.clock.advance(10_001)
    expect((await scene.join({ memberId })).error).toBe('UNKNOWN_MEMBER_ID')
    expect(scene.groupTimerCount).toBe(0)
  })

  test('a rebalance waits for a member that was given an id, until it joins or is forgotten', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a'])
    const pending = await scene.join()
    const joining = scene.join({ memberId: ids[0]! })
    expect(await unlessParked(joining)).toBe('parked')
    await scene.clock.advance(10_001)
    expect(pending.error).toBe('MEMBER_ID_REQUIRED')
    expect(await joining).toMatchObject({ error: 'NONE', generationId: 2 })
  })

  test('a new member that retries does not leave its earlier request waiting', async () => {
    const scene = await GroupScene.open()
    await scene.form(['a'])
    const { memberId } = await scene.join()
    const earlier = scene.join({ memberId })
    await settled()
    const later = scene.join({ memberId })
    expect((await earlier).error).toBe('REBALANCE_IN_PROGRESS')
    expect(await unlessParked(later)).toBe('parked')
  })

  test('a new member whose client vanished is dropped after five minutes', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a'], { rebalanceTimeoutMs: 600_000 })
    const vanished = scene.join({ version: 3, rebalanceTimeoutMs: 600_000, sessionTimeoutMs: 6_000 })
    for (let passedMs = 0; passedMs < 290_000; passedMs += 5_000) {
      await scene.clock.advance(5_000)
      expect(await scene.heartbeat(ids[0]!, 1)).toBe('REBALANCE_IN_PROGRESS')
    }
    expect(await unlessParked(vanished)).toBe('parked')
    await scene.clock.advance(9_999)
    await scene.heartbeat(ids[0]!, 1)
    await scene.clock.advance(2)
    expect((await vanished).error).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('group.max.size', () => {
  test('turns away whoever comes to a full group', async () => {
    const scene = await GroupScene.open({ groupMaxSize: 2 })
    await scene.form(['a', 'b'])
    expect(await scene.join()).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
  })

  test('shrinks a group that has become too large, by those who join last', async () => {
    const before = await GroupScene.open()
    const { ids, generationId } = await before.form(['a', 'b', 'c'])
    const scene = await GroupScene.open({ groupMaxSize: 2 }, { topic: before.topic.afterCrash() })
    expect(await scene.heartbeat(ids[0]!, generationId)).toBe('REBALANCE_IN_PROGRESS')
    const joins = ids.map(memberId => scene.join({ memberId }))
    const joined = await Promise.all(joins)
    expect(joined.map(({ error }) => error)).toEqual(['NONE', 'NONE', 'GROUP_MAX_SIZE_REACHED'])
    expect(joined[0]!.members).toHaveLength(2)
  })
})

describe('the initial rebalance delay', () => {
  test('gathers those who come while it lasts, and is prolonged by each of them up to the rebalance timeout', async () => {
    const scene = await GroupScene.open({ groupInitialRebalanceDelayMs: 3_000 })
    const first = scene.join({ version: 3, rebalanceTimeoutMs: 7_000 })
    await scene.clock.advance(2_000)
    const second = scene.join({ version: 3, rebalanceTimeoutMs: 7_000 })
    await scene.clock.advance(2_000)
    const third = scene.join({ version: 3, rebalanceTimeoutMs: 7_000 })
    await scene.clock.advance(2_000)
    const fourth = scene.join({ version: 3, rebalanceTimeoutMs: 7_000 })
    expect(await unlessParked(first)).toBe('parked')
    await scene.clock.advance(1_000)
    const joined = await Promise.all([first, second, third, fourth])
    expect(joined.map(({ generationId }) => generationId)).toEqual([1, 1, 1, 1])
    expect(joined[0]!.members).toHaveLength(4)
  })

  test('ends when nobody else comes', async () => {
    const scene = await GroupScene.open({ groupInitialRebalanceDelayMs: 3_000 })
    const first = scene.join({ version: 3 })
    await scene.clock.advance(2_999)
    expect(await unlessParked(first)).toBe('parked')
    await scene.clock.advance(1)
    expect((await first).error).toBe('NONE')
  })
})

describe('joining again', () => {
  test('a follower that says nothing new hears of the present generation, without a rebalance', async () => {
    const scene = await GroupScene.open()
    const { ids, leader } = await scene.form(['a', 'b'])
    const follower = ids.find(id => id !== leader)!
    expect(await scene.join({ memberId: follower })).toMatchObject({
      error: 'NONE',
      generationId: 1,
      members: [],
    })
    expect((await scene.describe()).groupState).toBe('Stable')
  })

  test('a follower with other metadata starts a rebalance', async () => {
    const scene = await GroupScene.open()
    const { ids, leader } = await scene.form(['a', 'b'])
    const follower = ids.find(id => id !== leader)!
    const protocols = [{ name: 'range', metadata: subscription('payments') }]
    expect(await unlessParked(scene.join({ memberId: follower, protocols }))).toBe('parked')
    expect((await scene.describe()).groupState).toBe('PreparingRebalance')
  })

  test('the leader starts a rebalance even when it says nothing new', async () => {
    const scene = await GroupScene.open()
    const { leader } = await scene.form(['a', 'b'])
    expect(await unlessParked(scene.join({ memberId: leader }))).toBe('parked')
    expect((await scene.describe()).groupState).toBe('PreparingRebalance')
  })

  test('a member that lost the answer gets it again while the group waits for the assignment', async () => {
    const scene = await GroupScene.open()
    const joining = scene.join({ version: 3 })
    await scene.clock.advance(0)
    const { memberId } = await joining
    expect(await scene.join({ memberId })).toMatchObject({ error: 'NONE', generationId: 1, leader: memberId })
    expect((await scene.describe()).groupState).toBe('CompletingRebalance')
  })

  test('a member with other metadata starts over while the group waits for the assignment', async () => {
    const scene = await GroupScene.open()
    const joining = scene.join({ version: 3 })
    await scene.clock.advance(0)
    const { memberId } = await joining
    const again = await scene.join({
      memberId,
      protocols: [...range, { name: 'sticky', metadata: Buffer.alloc(0) }],
    })
    expect(again).toMatchObject({ error: 'NONE', generationId: 2 })
  })
})
