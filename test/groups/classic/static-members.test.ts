import { describe, expect, test } from 'vitest'
import { GroupScene, range, unlessParked, type Joined } from '../../support/group-scene.ts'
import { settled } from '../../support/manual-clock.ts'

/** A stable group of static members; each is assigned its own instance id. */
async function formStatic(scene: GroupScene, instanceIds: string[]): Promise<Joined[]> {
  const joining = instanceIds.map(groupInstanceId => scene.join({ groupInstanceId }))
  await scene.clock.advance(0)
  const joined = await Promise.all(joining)
  const assignments = Object.fromEntries(joined.map(({ memberId }, index) => [memberId, instanceIds[index]!]))
  await Promise.all(
    joined.map(({ memberId, generationId, leader }, index) =>
      scene.sync({
        memberId,
        generationId,
        groupInstanceId: instanceIds[index]!,
        assignments: memberId === leader ? assignments : {},
      }),
    ),
  )
  return joined
}

describe('a static member', () => {
  test('comes back under a new id without a rebalance, and finds its assignment', async () => {
    const scene = await GroupScene.open()
    const [leader, old] = await formStatic(scene, ['i1', 'i2'])
    const back = await scene.join({ groupInstanceId: 'i2' })
    expect(back).toMatchObject({
      error: 'NONE',
      generationId: 1,
      leader: leader!.memberId,
      members: [],
      skipAssignment: false,
    })
    expect(back.memberId).not.toBe(old!.memberId)
    expect(await scene.sync({ memberId: back.memberId, generationId: 1, groupInstanceId: 'i2' })).toEqual({
      error: 'NONE',
      assignment: 'i2',
    })
    expect(await scene.heartbeat(leader!.memberId, 1, 'i1')).toBe('NONE')
    expect(await scene.coordinator.audit()).toEqual([])
  })

  test('that leads comes back as the leader, and is told to assign nothing', async () => {
    const scene = await GroupScene.open()
    await formStatic(scene, ['i1', 'i2'])
    const back = await scene.join({ groupInstanceId: 'i1' })
    expect(back).toMatchObject({
      error: 'NONE',
      generationId: 1,
      leader: back.memberId,
      skipAssignment: true,
    })
    expect(back.members).toHaveLength(2)
    expect(
      (await scene.sync({ memberId: back.memberId, generationId: 1, groupInstanceId: 'i1' })).assignment,
    ).toBe('i1')
  })

  test('that leads and cannot skip assigning does not hear that it leads', async () => {
    const scene = await GroupScene.open()
    const [leader] = await formStatic(scene, ['i1', 'i2'])
    const back = await scene.join({ groupInstanceId: 'i1', version: 8 })
    expect(back).toMatchObject({
      error: 'NONE',
      leader: leader!.memberId,
      members: [],
      skipAssignment: false,
    })
  })

  test('that was replaced is fenced wherever it turns up', async () => {
    const scene = await GroupScene.open()
    const [, zombie] = await formStatic(scene, ['i1', 'i2'])
    await scene.join({ groupInstanceId: 'i2' })
    const { memberId } = zombie!
    expect(await scene.heartbeat(memberId, 1, 'i2')).toBe('FENCED_INSTANCE_ID')
    expect((await scene.sync({ memberId, generationId: 1, groupInstanceId: 'i2' })).error).toBe(
      'FENCED_INSTANCE_ID',
    )
    expect((await scene.join({ memberId, groupInstanceId: 'i2' })).error).toBe('FENCED_INSTANCE_ID')
    expect(await scene.leave([{ memberId, groupInstanceId: 'i2' }])).toEqual(['FENCED_INSTANCE_ID'])
    expect(
      await scene.commit({ 'orders-0': 1 }, { memberId, generationId: 1, groupInstanceId: 'i2' }),
    ).toEqual({
      'orders-0': 'FENCED_INSTANCE_ID',
    })
    expect(await scene.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('that waits in a rebalance is fenced by its successor', async () => {
    const scene = await GroupScene.open()
    const [leader, second] = await formStatic(scene, ['i1', 'i2'])
    const zombie = scene.join({ memberId: leader!.memberId, groupInstanceId: 'i1' })
    await settled()
    const successor = scene.join({ groupInstanceId: 'i1' })
    expect((await zombie).error).toBe('FENCED_INSTANCE_ID')
    expect(await unlessParked(successor)).toBe('parked')
    const other = scene.join({ memberId: second!.memberId, groupInstanceId: 'i2' })
    expect(await successor).toMatchObject({ error: 'NONE', generationId: 2 })
    expect((await other).leader).toBe((await successor).memberId)
  })

  test('that comes back while the leader assigns starts a rebalance: the assignment would be for its old id', async () => {
    const scene = await GroupScene.open()
    const joining = ['i1', 'i2'].map(groupInstanceId => scene.join({ groupInstanceId }))
    await scene.clock.advance(0)
    const [leader, second] = await Promise.all(joining)
    const zombie = scene.sync({ memberId: second!.memberId, generationId: 1, groupInstanceId: 'i2' })
    await settled()
    const back = scene.join({ groupInstanceId: 'i2' })
    expect((await zombie).error).toBe('FENCED_INSTANCE_ID')
    expect(await unlessParked(back)).toBe('parked')
    expect(await scene.heartbeat(leader!.memberId, 1, 'i1')).toBe('REBALANCE_IN_PROGRESS')
  })

  test('that comes back with other preferences starts a rebalance if the group would choose otherwise', async () => {
    const scene = await GroupScene.open()
    const sticky = { name: 'sticky', metadata: Buffer.from('s') }
    const first = scene.join({ groupInstanceId: 'i1', protocols: [...range, sticky] })
    await scene.clock.advance(0)
    const { memberId } = await first
    await scene.sync({ memberId, generationId: 1, groupInstanceId: 'i1', assignments: { [memberId]: 'all' } })
    const back = await scene.join({ groupInstanceId: 'i1', protocols: [sticky, ...range] })
    expect(back).toMatchObject({ error: 'NONE', generationId: 2, protocolName: 'sticky' })
  })

  test('may be away during a rebalance, and is still a member of the next generation', async () => {
    const scene = await GroupScene.open()
    await formStatic(scene, ['i1', 'i2'])
    const joining = scene.join({ version: 3, rebalanceTimeoutMs: 8_000 })
    // Its session is shorter than the rebalance timeout, so it is heard of in between.
    const [first, second] = (await scene.describe()).members
    for (let beat = 0; beat < 10; beat++) {
      await scene.clock.advance(6_000)
      await scene.heartbeat(first!.memberId, 1, 'i1')
      await scene.heartbeat(second!.memberId, 1, 'i2')
    }
    const joined = await joining
    expect(joined).toMatchObject({ error: 'NONE', generationId: 2, leader: joined.memberId })
    expect(joined.members.map(({ groupInstanceId }) => groupInstanceId)).toEqual(['i1', 'i2', null])
  })

  test('is removed by an operator who knows its instance id alone', async () => {
    const scene = await GroupScene.open()
    const [leader, second] = await formStatic(scene, ['i1', 'i2'])
    expect(await scene.leave([{ groupInstanceId: 'i2' }, { groupInstanceId: 'i9' }])).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID',
    ])
    expect(await scene.heartbeat(second!.memberId, 1, 'i2')).toBe('UNKNOWN_MEMBER_ID')
    expect(await scene.heartbeat(leader!.memberId, 1, 'i1')).toBe('REBALANCE_IN_PROGRESS')
  })

  test('is kept over a restart of the broker', async () => {
    const before = await GroupScene.open()
    await formStatic(before, ['i1', 'i2'])
    const replaced = await before.join({ groupInstanceId: 'i2' })
    const scene = await before.crash()
    expect(await scene.heartbeat(replaced.memberId, 1, 'i2')).toBe('NONE')
    const back = await scene.join({ groupInstanceId: 'i2' })
    expect(back).toMatchObject({ error: 'NONE', generationId: 1 })
    expect(await scene.heartbeat(replaced.memberId, 1, 'i2')).toBe('FENCED_INSTANCE_ID')
  })
})
