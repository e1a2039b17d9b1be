import { describe, expect, test } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { caller, errorOf, GroupScene, unlessParked } from '../support/group-scene.ts'
import { settled } from '../support/manual-clock.ts'
import { MemoryStateTopic } from '../support/memory-state-topic.ts'

const storageError = new KafkaError('KAFKA_STORAGE_ERROR')

describe('a restart', () => {
  test('keeps members and generation: they go on with heartbeats and commits', async () => {
    const before = await GroupScene.open()
    const { ids, generationId, leader } = await before.form(['a', 'b', 'c'])
    const scene = await before.crash()
    for (const memberId of ids) expect(await scene.heartbeat(memberId, generationId)).toBe('NONE')
    expect(await scene.sync({ memberId: ids[1]!, generationId })).toEqual({ error: 'NONE', assignment: 'b' })
    expect(await scene.commit({ 'orders-0': 4 }, { memberId: ids[0]!, generationId })).toEqual({
      'orders-0': 'NONE',
    })
    expect(await (await scene.crash()).committed()).toEqual({ 'orders-0': 4 })
    const described = await scene.describe()
    expect(described).toEqual(await before.describe())
    expect(described).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
    expect(await scene.join({ memberId: ids.find(id => id !== leader)! })).toMatchObject({
      generationId,
      leader,
    })
  })

  test('gives every member a session’s time, and no more', async () => {
    const before = await GroupScene.open()
    const { ids, generationId } = await before.form(['a', 'b'])
    const scene = await before.crash()
    await scene.clock.advance(9_999)
    expect(await scene.heartbeat(ids[0]!, generationId)).toBe('NONE')
    await scene.clock.advance(1)
    expect(await scene.heartbeat(ids[1]!, generationId)).toBe('UNKNOWN_MEMBER_ID')
    expect(await scene.heartbeat(ids[0]!, generationId)).toBe('REBALANCE_IN_PROGRESS')
  })

  test('in the middle of a rebalance goes back to the generation before, and the members join again', async () => {
    const before = await GroupScene.open()
    const { ids, generationId } = await before.form(['a', 'b'])
    const protocols = [{ name: 'range', metadata: Buffer.from('new') }]
    const joined = await Promise.all(ids.map(memberId => before.join({ memberId, protocols })))
    expect(joined[0]!.generationId).toBe(generationId + 1)

    const scene = await before.crash()
    expect((await scene.sync({ memberId: ids[0]!, generationId: generationId + 1 })).error).toBe(
      'ILLEGAL_GENERATION',
    )
    const again = await Promise.all(ids.map(memberId => scene.join({ memberId, protocols })))
    expect(again.map(({ error }) => error)).toEqual(['NONE', 'NONE'])
  })

  test('before the assignment is on disk takes it back: nobody has heard of it', async () => {
    const before = await GroupScene.open()
    const joining = before.join({ version: 3 })
    await before.clock.advance(0)
    const { memberId } = await joining
    before.topic.hold()
    const syncing = before.sync({ memberId, generationId: 1, assignments: { [memberId]: 'all' } })
    const beating = before.heartbeat(memberId, 1)
    const describing = before.describe()
    expect(await unlessParked(syncing)).toBe('parked')
    expect(await unlessParked(beating)).toBe('parked')
    expect(await unlessParked(describing)).toBe('parked')
    const scene = await before.crash()
    expect(await scene.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
    expect((await scene.describe()).groupState).toBe('Empty')

    before.topic.release()
    expect(await syncing).toEqual({ error: 'NONE', assignment: 'all' })
    expect((await describing).groupState).toBe('Stable')
  })

  test('passes over records that it does not know', async () => {
    const topic = new MemoryStateTopic(1)
    topic.synced[0]!.push({ key: Buffer.from([0, 99, 1, 2, 3]), value: Buffer.from([0, 0]) })
    topic.synced[0]!.push({ key: Buffer.from([0, 2, 0, 1, 103]), value: Buffer.from([0, 99, 1]) })
    const scene = await GroupScene.open({}, { topic })
    expect(await scene.coordinator.list([], [])).toEqual([])
  })
})

describe('a failed append', () => {
  test('fails whoever waits for it, and what it said is forgotten', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a', 'b'])
    await scene.commit({ 'orders-0': 1 }, { memberId: ids[0]!, generationId })
    scene.topic.hold()
    const committing = scene.commit({ 'orders-0': 2 }, { memberId: ids[0]!, generationId })
    const beating = scene.heartbeat(ids[1]!, generationId)
    await settled()
    scene.topic.fail(storageError)
    expect(await committing).toEqual({ 'orders-0': 'NOT_COORDINATOR' })
    expect(await beating).toBe('NOT_COORDINATOR')

    scene.topic.heal()
    await settled()
    expect(await scene.heartbeat(ids[1]!, generationId)).toBe('NONE')
    expect(await scene.committed()).toEqual({ 'orders-0': 1 })
    expect(await scene.commit({ 'orders-0': 3 }, { memberId: ids[0]!, generationId })).toEqual({
      'orders-0': 'NONE',
    })
    expect(await scene.coordinator.audit()).toEqual([])
    expect(scene.bugs).toEqual([])
  })

  test('sends everybody who is parked elsewhere', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await scene.form(['a', 'b'])
    const joining = scene.join({
      memberId: ids[0]!,
      protocols: [{ name: 'range', metadata: Buffer.from('x') }],
    })
    await settled()
    scene.topic.fail(storageError)
    await scene.commit({ 'orders-0': 2 }, { memberId: ids[1]!, generationId })
    expect((await joining).error).toBe('NOT_COORDINATOR')
    scene.topic.heal()
    await settled()
    expect(await scene.describe()).toMatchObject({ groupState: 'Stable' })
  })

  test('of an assignment reaches the leader and those who wait for it', async () => {
    const scene = await GroupScene.open()
    const { ids, leader } = await scene.form(['a', 'b'])
    const protocols = [{ name: 'range', metadata: Buffer.from('x') }]
    await Promise.all(ids.map(memberId => scene.join({ memberId, protocols })))
    scene.topic.hold()
    const syncing = ids.map(memberId =>
      scene.sync({ memberId, generationId: 2, assignments: memberId === leader ? { [leader]: 'all' } : {} }),
    )
    await settled()
    scene.topic.fail(storageError)
    expect((await Promise.all(syncing)).map(({ error }) => error)).toEqual([
      'NOT_COORDINATOR',
      'NOT_COORDINATOR',
    ])
  })

  test.each([
    [new KafkaError('REQUEST_TIMED_OUT'), 'COORDINATOR_NOT_AVAILABLE'],
    [new KafkaError('MESSAGE_TOO_LARGE'), 'UNKNOWN_SERVER_ERROR'],
    [new Error('EIO'), 'NOT_COORDINATOR'],
  ])('%s becomes %s', async (failure, error) => {
    const scene = await GroupScene.open()
    scene.topic.fail(failure)
    expect(await scene.commit({ 'orders-0': 2 })).toEqual({ 'orders-0': error })
  })
})

describe('while the log is read', () => {
  test('requests are to come again, and heartbeats are let pass', async () => {
    const topic = new MemoryStateTopic()
    const scene = await GroupScene.open({}, { topic })
    const { ids, generationId } = await scene.form(['a'])
    topic.fail(storageError)
    await scene.commit({ 'orders-0': 1 }, { memberId: ids[0]!, generationId })
    const beating = scene.heartbeat(ids[0]!, generationId)
    const [fetched] = await scene.coordinator.fetchOffsets([{ groupId: 'readers', topics: null }], caller(8))
    expect(fetched!.errorCode).toBe(14)
    expect(await beating).toBe('NONE')
    topic.heal()
    await settled()
    expect(await scene.heartbeat(ids[0]!, generationId)).toBe('NONE')
  })
})

describe('closing', () => {
  test('answers parked requests with what makes clients look elsewhere, and takes no more', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a', 'b'])
    const other = await scene.form(['c', 'd'], { group: 'others' })
    const joining = scene.join({
      memberId: ids[0]!,
      protocols: [{ name: 'range', metadata: Buffer.from('x') }],
    })
    await Promise.all(
      other.ids.map(memberId =>
        scene.join({ group: 'others', memberId, protocols: [{ name: 'range', metadata: Buffer.from('x') }] }),
      ),
    )
    const follower = other.ids.find(id => id !== other.leader)!
    const syncing = scene.sync({ group: 'others', memberId: follower, generationId: 2 })
    await settled()
    await scene.coordinator.close()
    expect((await joining).error).toBe('NOT_COORDINATOR')
    expect((await syncing).error).toBe('NOT_COORDINATOR')
    expect((await scene.join()).error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await scene.heartbeat(ids[0]!, 1)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await errorOf(scene.coordinator.list([], []))).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(scene.clock.timerCount).toBe(0)
  })
})

describe('DescribeGroups and ListGroups', () => {
  test('show members with their metadata while the group is stable', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a'], { protocols: [{ name: 'range', metadata: Buffer.from('mine') }] })
    expect(await scene.describe()).toMatchObject({
      error: 'NONE',
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [
        {
          memberId: ids[0],
          groupInstanceId: null,
          clientId: 'a',
          clientHost: '/127.0.0.1',
          memberMetadata: Buffer.from('mine'),
          memberAssignment: Buffer.from('a'),
        },
      ],
    })
  })

  test.each([
    [5, 'NONE', null],
    [6, 'GROUP_ID_NOT_FOUND', 'Group nobody not found.'],
  ])('in version %i a group that is not there is Dead with %s', async (version, error, errorMessage) => {
    const scene = await GroupScene.open()
    expect(await scene.describe('nobody', version)).toMatchObject({ error, errorMessage, groupState: 'Dead' })
  })

  test('filter by state and type in any case; what nobody knows matches nothing', async () => {
    const scene = await GroupScene.open()
    await scene.form(['a'], { group: 'stable' })
    await scene.commit({ 'orders-0': 1 }, { group: 'simple' })
    const ids = async (states: string[], types: string[]) =>
      (await scene.coordinator.list(states, types)).map(({ groupId }) => groupId).sort()
    expect(await scene.coordinator.list(['STABLE '], [])).toEqual([
      { groupId: 'stable', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
    ])
    expect(await ids([], [])).toEqual(['simple', 'stable'])
    expect(await ids(['empty', 'Stable'], ['Classic'])).toEqual(['simple', 'stable'])
    expect(await ids(['Dead'], [])).toEqual([])
    expect(await ids([], ['consumer'])).toEqual([])
    expect(await ids([], ['nonsense'])).toEqual([])
  })
})

describe('DeleteGroups', () => {
  test('removes empty groups with all of their offsets, and tells of each what became of it', async () => {
    const scene = await GroupScene.open()
    await scene.form(['a'], { group: 'full' })
    await scene.commit({ 'orders-0': 1, 'payments-2': 1 }, { group: 'empty' })
    expect(await scene.coordinator.delete(['full', 'empty', 'nobody'])).toEqual([
      { groupId: 'full', errorCode: 68 },
      { groupId: 'empty', errorCode: 0 },
      { groupId: 'nobody', errorCode: 69 },
    ])
    for (const coordinator of [scene, await scene.crash()]) {
      expect((await coordinator.coordinator.list([], [])).map(({ groupId }) => groupId)).toEqual(['full'])
      expect(await coordinator.committed(null, 'empty')).toEqual({})
    }
  })

  test('forgets the ids that the group had given out', async () => {
    const scene = await GroupScene.open()
    const { memberId } = await scene.join()
    expect(await scene.coordinator.delete(['readers'])).toEqual([{ groupId: 'readers', errorCode: 0 }])
    expect(scene.groupTimerCount).toBe(0)
    expect((await scene.join({ memberId })).error).toBe('UNKNOWN_MEMBER_ID')
  })
})

test('ten thousand idle groups cost no timers and no polling', async () => {
  const scene = await GroupScene.open({}, { topic: new MemoryStateTopic(50) })
  await Promise.all(
    Array.from({ length: 10_000 }, (_, index) => scene.commit({ 'orders-0': index }, { group: `g${index}` })),
  )
  expect(scene.groupTimerCount).toBe(0)
  expect(await scene.committed(null, 'g9999')).toEqual({ 'orders-0': 9_999 })
  const after = await scene.crash()
  expect(await after.coordinator.list([], [])).toHaveLength(10_000)
  expect(after.groupTimerCount).toBe(0)
})
