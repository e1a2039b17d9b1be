import { describe, expect, test } from 'vitest'
import { GroupScene, unlessParked } from '../../support/group-scene.ts'
import { settled } from '../../support/manual-clock.ts'

describe('a rebalance', () => {
  test('takes three members from one generation to the next', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId, leader } = await scene.form(['a', 'b'])
    const newcomer = await scene.join({ clientId: 'c' })
    const joining = [scene.join({ memberId: newcomer.memberId })]
    await settled()

    expect(await scene.heartbeat(ids[0]!, generationId)).toBe('REBALANCE_IN_PROGRESS')
    expect(await scene.sync({ memberId: ids[1]!, generationId })).toMatchObject({
      error: 'REBALANCE_IN_PROGRESS',
    })
    joining.push(...ids.map(memberId => scene.join({ memberId })))
    const joined = await Promise.all(joining)
    expect(joined.map(({ generationId }) => generationId)).toEqual([2, 2, 2])
    expect(joined.map(({ leader }) => leader)).toEqual([leader, leader, leader])
    const roster = joined.find(({ memberId }) => memberId === leader)!.members
    expect(roster.map(({ memberId }) => memberId)).toEqual([...ids, newcomer.memberId])

    const followers = joined.filter(({ memberId }) => memberId !== leader).map(({ memberId }) => memberId)
    const syncing = followers.map(memberId => scene.sync({ memberId, generationId: 2 }))
    expect(await unlessParked(syncing[0]!)).toBe('parked')
    const assignments = Object.fromEntries(roster.map(({ memberId }) => [memberId, `for ${memberId}`]))
    expect(await scene.sync({ memberId: leader, generationId: 2, assignments })).toEqual({
      error: 'NONE',
      assignment: `for ${leader}`,
    })
    expect(await Promise.all(syncing)).toEqual(
      followers.map(memberId => ({ error: 'NONE', assignment: `for ${memberId}` })),
    )
    expect(await scene.heartbeat(ids[0]!, 2)).toBe('NONE')
    expect(await scene.heartbeat(ids[0]!, 1)).toBe('ILLEGAL_GENERATION')
    expect(await scene.coordinator.audit()).toEqual([])
  })

  test('leaves behind the members that do not join in time; the longest rebalance timeout counts', async () => {
    const scene = await GroupScene.open()
    const slow = await scene.form(['slow'], { rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 30_000 })
    const joining = scene.join({ version: 3, rebalanceTimeoutMs: 6_000 })
    await scene.clock.advance(19_999)
    expect(await unlessParked(joining)).toBe('parked')
    await scene.clock.advance(1)
    const joined = await joining
    expect(joined).toMatchObject({ error: 'NONE', generationId: 2, leader: joined.memberId })
    expect(await scene.heartbeat(slow.ids[0]!, 1)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('goes to another leader when the leader has crashed', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId, leader } = await scene.form(['a', 'b', 'c'])
    const followers = ids.filter(id => id !== leader)
    for (let beat = 0; beat < 3; beat++) {
      await scene.clock.advance(4_000)
      for (const id of followers) await scene.heartbeat(id, generationId)
    }
    expect(await scene.heartbeat(followers[0]!, generationId)).toBe('REBALANCE_IN_PROGRESS')
    const joined = await Promise.all(followers.map(memberId => scene.join({ memberId })))
    expect(joined[0]).toMatchObject({ generationId: generationId + 1, leader: followers[0] })
    expect(joined[0]!.members).toHaveLength(2)
    expect(joined[1]!.members).toEqual([])
  })

  test('goes to another leader when the leader joins too late', async () => {
    const scene = await GroupScene.open()
    const { ids, leader } = await scene.form(['a', 'b'], { sessionTimeoutMs: 120_000 })
    const follower = ids.find(id => id !== leader)!
    const joining = scene.join({
      memberId: follower,
      protocols: [{ name: 'range', metadata: Buffer.from('new') }],
    })
    await scene.clock.advance(60_000)
    expect(await joining).toMatchObject({ error: 'NONE', generationId: 2, leader: follower })
    expect((await scene.join({ memberId: leader })).error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('begins again when a member leaves before the leader has assigned', async () => {
    const scene = await GroupScene.open()
    const { ids, leader } = await scene.form(['a', 'b', 'c'])
    const joined = await Promise.all(
      ids.map(memberId =>
        scene.join({ memberId, protocols: [{ name: 'range', metadata: Buffer.from('x') }] }),
      ),
    )
    const generationId = joined[0]!.generationId
    const [parked, leaving] = ids.filter(id => id !== leader) as [string, string]
    const syncing = scene.sync({ memberId: parked, generationId })
    expect(await unlessParked(syncing)).toBe('parked')
    expect(await scene.leave([{ memberId: leaving }])).toEqual(['NONE'])
    expect(await syncing).toMatchObject({ error: 'REBALANCE_IN_PROGRESS' })
    expect(await scene.sync({ memberId: leader, generationId })).toMatchObject({
      error: 'REBALANCE_IN_PROGRESS',
    })
    expect((await scene.describe()).groupState).toBe('PreparingRebalance')
  })

  test('drops the members that never ask for their assignment', async () => {
    const scene = await GroupScene.open()
    const { ids, leader } = await scene.form(['a', 'b'], { rebalanceTimeoutMs: 15_000 })
    const silent = ids.find(id => id !== leader)!
    await Promise.all(
      ids.map(memberId =>
        scene.join({
          memberId,
          rebalanceTimeoutMs: 15_000,
          protocols: [{ name: 'range', metadata: Buffer.from('x') }],
        }),
      ),
    )
    await scene.sync({ memberId: leader, generationId: 2, assignments: { [leader]: 'all' } })
    for (let beat = 0; beat < 3; beat++) {
      await scene.clock.advance(4_999)
      expect(await scene.heartbeat(leader, 2)).toBe('NONE')
      expect(await scene.heartbeat(silent, 2)).toBe('NONE')
    }
    await scene.clock.advance(4)
    expect(await scene.heartbeat(silent, 2)).toBe('UNKNOWN_MEMBER_ID')
    expect(await scene.heartbeat(leader, 2)).toBe('REBALANCE_IN_PROGRESS')
  })

  test('starts over without a leader that joined and never assigned', async () => {
    const scene = await GroupScene.open()
    const { ids, leader } = await scene.form(['a', 'b'], {
      rebalanceTimeoutMs: 15_000,
      sessionTimeoutMs: 10_000,
    })
    const follower = ids.find(id => id !== leader)!
    await Promise.all(
      ids.map(memberId =>
        scene.join({
          memberId,
          rebalanceTimeoutMs: 15_000,
          protocols: [{ name: 'range', metadata: Buffer.from('x') }],
        }),
      ),
    )
    const syncing = scene.sync({ memberId: follower, generationId: 2 })
    await scene.clock.advance(10_000)
    expect((await syncing).error).toBe('REBALANCE_IN_PROGRESS')
    expect(await scene.join({ memberId: follower })).toMatchObject({ generationId: 3, leader: follower })
  })
})

describe('sessions', () => {
  test('a member lives as long as its heartbeats come', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a'])
    for (let beat = 0; beat < 10; beat++) {
      await scene.clock.advance(9_999)
      expect(await scene.heartbeat(ids[0]!, generationId)).toBe('NONE')
    }
    await scene.clock.advance(10_000)
    expect(await scene.heartbeat(ids[0]!, generationId)).toBe('UNKNOWN_MEMBER_ID')
    expect(await scene.describe()).toMatchObject({
      groupState: 'Empty',
      protocolType: 'consumer',
      members: [],
    })
    expect(scene.groupTimerCount).toBe(0)
  })

  test('a commit counts as a heartbeat', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a'])
    await scene.clock.advance(9_000)
    await scene.commit({ 'orders-0': 1 }, { memberId: ids[0]!, generationId })
    await scene.clock.advance(9_000)
    expect(await scene.heartbeat(ids[0]!, generationId)).toBe('NONE')
  })

  test('a member that waits for the others does not expire', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a', 'b'], { sessionTimeoutMs: 6_000 })
    const joining = scene.join({
      memberId: ids[0]!,
      protocols: [{ name: 'range', metadata: Buffer.from('x') }],
      sessionTimeoutMs: 6_000,
    })
    for (let beat = 0; beat < 4; beat++) {
      await scene.clock.advance(5_000)
      expect(await scene.heartbeat(ids[1]!, 1)).toBe('REBALANCE_IN_PROGRESS')
    }
    expect(await unlessParked(joining)).toBe('parked')
  })

  test.each([
    ['a group that is not there', { group: 'none' }, 'UNKNOWN_MEMBER_ID'],
    ['an empty group id', { group: '' }, 'INVALID_GROUP_ID'],
  ])('a heartbeat to %s is refused', async (_name, { group }, error) => {
    const scene = await GroupScene.open()
    expect(await scene.heartbeat('who', 1, null, group)).toBe(error)
  })

  test('a heartbeat of somebody else is refused', async () => {
    const scene = await GroupScene.open()
    await scene.form(['a'])
    expect(await scene.heartbeat('who', 1)).toBe('UNKNOWN_MEMBER_ID')
    expect(await scene.heartbeat('', 1)).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('leaving', () => {
  test('takes several members in one request and one rebalance, each with its own result', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a', 'b', 'c'])
    const pending = await scene.join()
    const leavers = [
      { memberId: ids[0]! },
      { memberId: 'who' },
      { memberId: ids[1]! },
      { memberId: pending.memberId },
      {},
    ]
    expect(await scene.leave(leavers)).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID',
      'NONE',
      'NONE',
      'UNKNOWN_MEMBER_ID',
    ])
    expect(await scene.heartbeat(ids[2]!, generationId)).toBe('REBALANCE_IN_PROGRESS')
    expect(await scene.join({ memberId: ids[2]! })).toMatchObject({ generationId: 2, leader: ids[2] })
  })

  test('of the last member makes the group Empty, in a generation of its own', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a'])
    expect(await scene.leave([{ memberId: ids[0]! }])).toEqual(['NONE'])
    expect((await scene.describe()).groupState).toBe('Empty')
    const next = await scene.form(['b'])
    expect(next.generationId).toBe(3)
  })

  test('in the middle of a join phase lets the others go on', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a', 'b'])
    const joining = scene.join({ memberId: ids[0]! })
    expect(await unlessParked(joining)).toBe('parked')
    await scene.leave([{ memberId: ids[1]! }])
    expect(await joining).toMatchObject({ error: 'NONE', generationId: 2 })
  })

  test('a parked member that is removed is told so', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a', 'b'])
    const joining = scene.join({ memberId: ids[0]! })
    await settled()
    await scene.leave([{ memberId: ids[0]! }])
    expect((await joining).error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('from a group that is not there is UNKNOWN_MEMBER_ID for each', async () => {
    const scene = await GroupScene.open()
    expect(await scene.leave([{ memberId: 'a' }, { groupInstanceId: 'i' }], 'none')).toEqual([
      'UNKNOWN_MEMBER_ID',
      'UNKNOWN_MEMBER_ID',
    ])
    expect(await scene.leave([{ memberId: 'a' }], '')).toEqual(['INVALID_GROUP_ID'])
  })
})

describe('SyncGroup', () => {
  test('gives the present assignment again to whoever asks in a stable group', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a', 'b'])
    expect(await scene.sync({ memberId: ids[1]!, generationId })).toEqual({ error: 'NONE', assignment: 'b' })
  })

  test('gives nothing to a member that the leader forgot', async () => {
    const scene = await GroupScene.open()
    const joining = scene.join({ version: 3 })
    await scene.clock.advance(0)
    const { memberId, generationId } = await joining
    expect(await scene.sync({ memberId, generationId, assignments: { other: 'x' } })).toEqual({
      error: 'NONE',
      assignment: '',
    })
    expect((await scene.describe()).groupState).toBe('Stable')
  })

  test.each([
    ['an empty group id', { group: '' }, 'INVALID_GROUP_ID'],
    ['a group that is not there', { group: 'none' }, 'UNKNOWN_MEMBER_ID'],
    ['somebody else', { memberId: 'who' }, 'UNKNOWN_MEMBER_ID'],
    ['an instance that nobody is', { groupInstanceId: 'i' }, 'UNKNOWN_MEMBER_ID'],
    ['another generation', { generationId: 7 }, 'ILLEGAL_GENERATION'],
    ['another protocol type', { protocolType: 'connect' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['another protocol', { protocolName: 'sticky' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['no protocol where one is due', { protocolName: null }, 'INCONSISTENT_GROUP_PROTOCOL'],
  ])('from %s is refused', async (_name, options, error) => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a'])
    expect((await scene.sync({ memberId: ids[0]!, generationId, ...options })).error).toBe(error)
  })

  test('to an empty group is UNKNOWN_MEMBER_ID', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a'])
    await scene.leave([{ memberId: ids[0]! }])
    expect((await scene.sync({ memberId: ids[0]!, generationId: 2 })).error).toBe('UNKNOWN_MEMBER_ID')
  })
})
