import { describe, expect, test } from 'vitest'
import { GroupTopics } from '../../support/group-topics.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import {
  counting,
  internal,
  StreamsScene,
  StreamsThread,
  subtopology,
  topology,
} from '../../support/streams-scene.ts'

const eight = Array.from({ length: 8 }, (_, partition) => `0_${partition}`)

async function sound(scene: StreamsScene): Promise<void> {
  expect(await scene.problems()).toEqual([])
}

describe('the first member', () => {
  test('gets every task, and the internal topics are made for it', async () => {
    const scene = await StreamsScene.open()
    const thread = new StreamsThread('a')
    expect(await thread.beat(scene)).toMatchObject({
      error: 'NONE',
      memberId: 'a',
      memberEpoch: 2,
      heartbeatIntervalMs: 5_000,
      statuses: [],
      active: eight,
      standby: [],
    })
    expect(scene.created).toMatchObject([{ name: 'app-counts-changelog', partitions: 8 }])
    expect(await thread.beat(scene, {}, false)).toMatchObject({ memberEpoch: 2, active: undefined })
    expect(await scene.describe()).toMatchObject({
      error: 'NONE',
      groupState: 'Stable',
      groupEpoch: 2,
      assignmentEpoch: 2,
      topology: { epoch: 0, subtopologies: [{ stateChangelogTopics: [{ partitions: 8 }] }] },
      members: [{ memberId: 'a', memberEpoch: 2, processId: 'process-of-a' }],
    })
    await sound(scene)
  })

  test('is told of internal topics that cannot be made, and gets its tasks once they are there', async () => {
    const scene = await StreamsScene.open()
    scene.creates = false
    const thread = new StreamsThread('a')
    expect(await thread.beat(scene)).toMatchObject({
      error: 'NONE',
      active: [],
      statuses: ['MISSING_INTERNAL_TOPICS'],
      details: [
        'Internal topics are missing: app-counts-changelog; Creation failed: app-counts-changelog (no room).',
      ],
    })
    expect(await scene.describe()).toMatchObject({ groupState: 'NotReady' })
    scene.creates = true
    expect(await thread.beat(scene)).toMatchObject({ statuses: [], active: eight })
    await sound(scene)
  })

  test('is told of source topics that are missing, and gets its tasks once they are there', async () => {
    const scene = await StreamsScene.open({}, { topics: new GroupTopics() })
    const thread = new StreamsThread('a')
    expect(await thread.beat(scene)).toMatchObject({
      error: 'NONE',
      active: [],
      statuses: ['MISSING_SOURCE_TOPICS'],
      details: ['Source topics orders are missing.'],
    })
    scene.scene.topics.create('orders', 2)
    expect(await thread.beat(scene)).toMatchObject({ statuses: [], active: ['0_0', '0_1'] })
    expect(await scene.describe()).toMatchObject({ groupState: 'Stable' })
    await sound(scene)
  })

  test('waits for others where the first assignment is to be delayed', async () => {
    const scene = await StreamsScene.open()
    scene.scene.configs.set('streams.initial.rebalance.delay.ms', 'app', 3_000)
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    expect(await a.beat(scene)).toMatchObject({ statuses: ['ASSIGNMENT_DELAYED'], active: [] })
    expect(await b.beat(scene)).toMatchObject({ statuses: ['ASSIGNMENT_DELAYED'], active: [] })
    await scene.scene.clock.advance(3_000)
    expect((await a.beat(scene)).active).toHaveLength(4)
    expect((await b.beat(scene)).active).toHaveLength(4)
    await sound(scene)
  })
})

describe('several members', () => {
  test('take over tasks once the one that ran them has given them back', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await a.beat(scene)
    expect(await b.beat(scene)).toMatchObject({ memberEpoch: 3, active: [] })
    // The first one is told, and still runs everything until it says otherwise.
    const told = await scene.beat(a.request())
    expect(told).toMatchObject({ memberEpoch: 2, active: eight.slice(0, 4) })
    expect(await b.beat(scene)).toMatchObject({ memberEpoch: 3, active: undefined })
    expect(await scene.describe()).toMatchObject({ groupState: 'Reconciling' })
    a.hear(told)
    expect(await a.beat(scene)).toMatchObject({ memberEpoch: 3 })
    expect(await b.beat(scene)).toMatchObject({ memberEpoch: 3, active: eight.slice(4) })
    expect(await scene.describe()).toMatchObject({ groupState: 'Stable' })
    await sound(scene)
  })

  test('of one process share the tasks, and keep no copies of what is there already', async () => {
    const scene = await StreamsScene.open()
    scene.scene.configs.set('streams.num.standby.replicas', 'app', 1)
    const threads = ['a1', 'a2'].map(id => new StreamsThread(id, { processId: 'a' }))
    await scene.settle(threads)
    expect(threads.map(({ active }) => active.size)).toEqual([4, 4])
    expect(threads.map(({ standby }) => standby.size)).toEqual([0, 0])
    await sound(scene)
  })

  test('keep copies as soon as the group is to have standbys', async () => {
    const scene = await StreamsScene.open()
    const threads = ['a', 'b', 'c'].map(id => new StreamsThread(id))
    await scene.settle(threads)
    expect(threads.flatMap(({ standby }) => [...standby])).toEqual([])
    scene.scene.configs.set('streams.num.standby.replicas', 'app', 1)
    await scene.settle(threads)
    expect(threads.flatMap(({ standby }) => [...standby]).sort()).toEqual(eight)
    expect((await scene.describe()).groupState).toBe('Stable')
    await sound(scene)
  })

  test('hand the tasks of one that leaves to the others at their next heartbeats', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await scene.settle([a, b])
    expect(await b.leave(scene)).toMatchObject({ error: 'NONE', memberEpoch: -1, memberId: 'b' })
    expect((await a.beat(scene)).active).toHaveLength(8)
    await sound(scene)
  })

  test('hand over the tasks of one whose session has expired', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await scene.settle([a, b])
    for (let round = 0; round < 9; round++) {
      await scene.scene.clock.advance(5_000)
      await a.beat(scene)
    }
    expect(a.active.size).toBe(8)
    expect(await b.beat(scene)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
    await scene.settle([a, b])
    expect([a.active.size, b.active.size]).toEqual([4, 4])
    await sound(scene)
  })

  test('do not wait for one that never gives back what it is to', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await a.beat(scene, { rebalanceTimeoutMs: 20_000 })
    await b.beat(scene)
    // It is alive, and never says what it has.
    for (let round = 0; round < 5; round++) {
      await scene.beat(a.request({}, false))
      await b.beat(scene)
      await scene.scene.clock.advance(4_000)
    }
    expect(await scene.beat(a.request({}, false))).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
    expect((await b.beat(scene)).active).toHaveLength(8)
    await sound(scene)
  })

  test('get new tasks when a topic has grown', async () => {
    const stateless = topology(subtopology('0', ['orders']))
    const scene = await StreamsScene.open()
    const threads = ['a', 'b'].map(id => new StreamsThread(id, { topology: stateless }))
    await scene.settle(threads)
    scene.scene.topics.grow('orders', 10)
    await scene.settle(threads)
    expect(threads.map(({ active }) => active.size)).toEqual([5, 5])
    await sound(scene)
  })

  test('lose their tasks and are told so when their topic is deleted', async () => {
    const scene = await StreamsScene.open()
    const thread = new StreamsThread('a')
    await thread.beat(scene)
    scene.scene.topics.delete('orders')
    expect(await thread.beat(scene)).toMatchObject({ statuses: ['MISSING_SOURCE_TOPICS'], active: [] })
    expect(await scene.describe()).toMatchObject({ groupState: 'NotReady' })
    await sound(scene)
  })

  test('wait for the next assignment as long as it says between two', async () => {
    const scene = await StreamsScene.open()
    scene.scene.configs.set('streams.assignment.interval.ms', 'app', 1_000)
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await a.beat(scene)
    expect(await b.beat(scene)).toMatchObject({ statuses: ['ASSIGNMENT_DELAYED'], active: [] })
    expect(await scene.describe()).toMatchObject({ groupState: 'Assigning' })
    await scene.scene.clock.advance(1_000)
    await scene.settle([a, b])
    expect([a.active.size, b.active.size]).toEqual([4, 4])
  })

  test('hear that one of them wants all to shut down', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await scene.settle([a, b])
    await a.leave(scene, { shutdownApplication: true })
    expect((await b.beat(scene)).details).toContain(
      'Streams group member a encountered a fatal error and requested a shutdown for the entire application.',
    )
    await b.leave(scene)
    expect((await a.beat(scene)).statuses).toEqual([])
  })

  test('are told where which partition is to be asked for', async () => {
    const scene = await StreamsScene.open()
    scene.scene.configs.set('streams.num.standby.replicas', 'app', 1)
    scene.scene.topics.create('notes', 2)
    const two = topology(subtopology('0', ['notes'], { stateChangelogTopics: [internal('app-log')] }))
    const threads = ['a', 'b'].map(
      (id, index) => new StreamsThread(id, { topology: two, endpoint: { host: id, port: 80 + index } }),
    )
    await scene.settle(threads)
    threads[0]!.endpointInformationEpoch = -1
    expect((await threads[0]!.beat(scene)).endpoints).toEqual({
      'a:80': { active: ['notes-0'], standby: ['notes-1'] },
      'b:81': { active: ['notes-1'], standby: ['notes-0'] },
    })
    expect((await threads[0]!.beat(scene)).endpoints).toBeUndefined()
  })
})

describe('epochs', () => {
  test('a member of an epoch that is not its own is fenced, and joins anew without losing its place', async () => {
    const scene = await StreamsScene.open()
    const thread = new StreamsThread('a')
    await thread.beat(scene)
    expect(await scene.beat(thread.request({ memberEpoch: 9 }))).toMatchObject({
      error: 'FENCED_MEMBER_EPOCH',
    })
    thread.abandon()
    expect(await thread.beat(scene)).toMatchObject({ error: 'NONE', memberEpoch: 2, active: eight })
  })

  test('one that did not hear of its new epoch may say the one before, unless it has what it cannot have', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await scene.settle([a, b])
    await b.leave(scene)
    const before = a.request()
    await scene.beat(before)
    expect(await scene.beat(before)).toMatchObject({ error: 'NONE', memberEpoch: 4 })
    expect(
      await scene.beat({ ...before, activeTasks: [{ subtopologyId: '1', partitions: [0] }] }),
    ).toMatchObject({ error: 'FENCED_MEMBER_EPOCH' })
    expect(
      await scene.beat({ ...before, activeTasks: null, standbyTasks: null, warmupTasks: null }),
    ).toMatchObject({ error: 'FENCED_MEMBER_EPOCH' })
  })

  test('somebody who has not joined is not known', async () => {
    const scene = await StreamsScene.open()
    await new StreamsThread('a').beat(scene)
    const stranger = new StreamsThread('b')
    stranger.memberEpoch = 2
    expect(await stranger.beat(scene)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
    const lost = new StreamsThread('b', { group: 'other' })
    lost.memberEpoch = 2
    expect(await lost.beat(scene)).toMatchObject({
      error: 'GROUP_ID_NOT_FOUND',
      message: 'Streams group other not found.',
    })
  })

  test('a group has room for as many members as it says', async () => {
    const scene = await StreamsScene.open({ groupStreamsMaxSize: 1 })
    const thread = new StreamsThread('a')
    await thread.beat(scene)
    expect(await new StreamsThread('b').beat(scene)).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED' })
    thread.abandon()
    expect(await thread.beat(scene)).toMatchObject({ error: 'NONE' })
  })
})

describe('topologies', () => {
  test('another one of the same epoch is refused, and one of an earlier epoch is stale', async () => {
    const scene = await StreamsScene.open()
    await new StreamsThread('a', { topology: { ...counting, epoch: 1 } }).beat(scene)
    const other = topology(subtopology('0', ['payments']))
    expect(await new StreamsThread('b', { topology: { ...other, epoch: 1 } }).beat(scene)).toMatchObject({
      error: 'INVALID_REQUEST',
      message: 'Topology updates are not supported yet.',
    })
    expect(await new StreamsThread('c', { topology: other }).beat(scene)).toMatchObject({
      error: 'NONE',
      statuses: ['STALE_TOPOLOGY'],
    })
  })

  test.each([
    ['static members', { instanceId: 'i' }, 'Static membership is not yet supported.'],
    ['task offsets', { taskOffsets: [] }, 'TaskOffsets are not supported yet.'],
    ['an empty member id', { memberId: '' }, "MemberId can't be empty."],
    ['an empty group id', { groupId: ' ' }, "GroupId can't be empty."],
    ['no topology at first', { topology: null }, 'Topology must be non-null when (re-)joining.'],
    [
      'no rebalance timeout at first',
      { rebalanceTimeoutMs: -1 },
      'RebalanceTimeoutMs must be provided in first request.',
    ],
    [
      'an epoch below all',
      { memberEpoch: -3 },
      'MemberEpoch is -3, but must be greater than or equal to -2.',
    ],
    [
      'tasks at first',
      { activeTasks: [{ subtopologyId: '0', partitions: [0] }] },
      'ActiveTasks must be empty when (re-)joining.',
    ],
    [
      'source topics by pattern',
      { topology: topology(subtopology('0', [], { sourceTopicRegex: ['a.*'] })) },
      'Regular expressions for source topics are not supported yet.',
    ],
  ])('%s are refused in the words of Kafka', async (_, more, message) => {
    const scene = await StreamsScene.open()
    expect(await scene.beat(new StreamsThread('a').request(more))).toMatchObject({
      error: 'INVALID_REQUEST',
      message,
    })
    expect(scene.scene.topic.appendCount).toBe(0)
  })

  test('tasks that the topology does not have are refused', async () => {
    const scene = await StreamsScene.open()
    const thread = new StreamsThread('a')
    await thread.beat(scene)
    thread.active.add('0_8')
    expect(await thread.beat(scene)).toMatchObject({
      error: 'INVALID_REQUEST',
      message: 'Task 8 for subtopology 0 is invalid. Number of tasks for this subtopology: 8',
    })
  })
})

describe('a restart', () => {
  test('goes on from what was synced: epochs, tasks and sessions', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await scene.settle([a, b])
    const described = await scene.describe()
    const crashed = await scene.crash(2, new ManualClock(scene.scene.clock.now()))
    expect(await crashed.describe()).toMatchObject({
      groupState: 'Stable',
      groupEpoch: described.groupEpoch,
      members: described.members,
    })
    expect(await a.beat(crashed, {}, false)).toMatchObject({ error: 'NONE', active: undefined })
    // Nobody has heard of the other since.
    await crashed.scene.clock.advance(44_000)
    expect((await a.beat(crashed)).active).toBeUndefined()
    await crashed.scene.clock.advance(2_000)
    expect((await a.beat(crashed)).active).toHaveLength(8)
    await sound(crashed)
  })

  test('in the middle of a reconciliation lets nobody run what another has not given back', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await a.beat(scene)
    await b.beat(scene)
    const told = await scene.beat(a.request())
    const crashed = await scene.crash(2, new ManualClock(scene.scene.clock.now()))
    expect((await b.beat(crashed)).active).toBeUndefined()
    a.hear(told)
    await crashed.settle([a, b])
    expect([...a.active, ...b.active].sort()).toEqual(eight)
    await sound(crashed)
  })

  test('remembers who is to give back tasks in time', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await a.beat(scene, { rebalanceTimeoutMs: 10_000 })
    await b.beat(scene)
    await scene.beat(a.request({}, false))
    const crashed = await scene.crash(2, new ManualClock(scene.scene.clock.now()))
    await crashed.scene.clock.advance(10_000)
    expect((await b.beat(crashed)).active).toHaveLength(8)
    await sound(crashed)
  })
})

describe('the life of a group', () => {
  test('deleted when it is empty, and not before; nothing is left of it', async () => {
    const scene = await StreamsScene.open()
    const thread = new StreamsThread('a')
    await thread.beat(scene)
    const remove = () => scene.scene.coordinator.delete(['app'])
    expect(await remove()).toMatchObject([{ errorCode: 68 }])
    await thread.leave(scene)
    expect(await scene.describe()).toMatchObject({ groupState: 'Empty', members: [] })
    expect(await remove()).toMatchObject([{ errorCode: 0 }])
    expect(await scene.describe()).toMatchObject({
      error: 'GROUP_ID_NOT_FOUND',
      errorMessage: 'Group app not found.',
    })
    await sound(scene)
    await sound(await scene.crash())
  })

  test('listed by type and state', async () => {
    const scene = await StreamsScene.open()
    await new StreamsThread('a').beat(scene)
    const { coordinator } = scene.scene
    const all = [{ groupId: 'app', protocolType: 'streams', groupState: 'Stable', groupType: 'streams' }]
    expect(await coordinator.list([], ['Streams'])).toEqual(all)
    expect(await coordinator.list(['stable'], [])).toEqual(all)
    expect(await coordinator.list(['Empty'], [])).toEqual([])
    expect(await coordinator.list([], ['classic'])).toEqual([])
  })

  test('takes the place of an empty classic group, offsets included; not of one with members', async () => {
    const scene = await StreamsScene.open()
    await scene.scene.commit({ 'orders-0': 5 }, { group: 'app' })
    expect(await new StreamsThread('a').beat(scene)).toMatchObject({ error: 'NONE' })
    expect(await scene.scene.committed(['orders-0'], 'app')).toEqual({ 'orders-0': 5 })
    await scene.scene.form(['c'], { group: 'taken' })
    expect(await new StreamsThread('b', { group: 'taken' }).beat(scene)).toMatchObject({
      error: 'GROUP_ID_NOT_FOUND',
      message: 'Group taken is not a streams group.',
    })
    await sound(scene)
    const crashed = await scene.crash()
    expect((await crashed.describe()).error).toBe('NONE')
    await sound(crashed)
  })
})

describe('offsets', () => {
  test('are committed by members in their epoch, and by nobody else while there are members', async () => {
    const scene = await StreamsScene.open()
    const thread = new StreamsThread('a')
    await thread.beat(scene)
    const commit = (options: { memberId?: string; generationId?: number; version?: number }) =>
      scene.scene.commit({ 'orders-1': 7 }, { group: 'app', ...options })
    expect(await commit({ memberId: 'a', generationId: 2 })).toEqual({ 'orders-1': 'NONE' })
    expect(await commit({ memberId: 'a', generationId: 3 })).toEqual({ 'orders-1': 'STALE_MEMBER_EPOCH' })
    expect(await commit({ memberId: 'b', generationId: 2 })).toEqual({ 'orders-1': 'UNKNOWN_MEMBER_ID' })
    expect(await commit({})).toEqual({ 'orders-1': 'UNKNOWN_MEMBER_ID' })
    expect(await commit({ memberId: 'a', generationId: 2, version: 8 })).toEqual({
      'orders-1': 'UNSUPPORTED_VERSION',
    })
    await thread.leave(scene)
    expect(await commit({})).toEqual({ 'orders-1': 'NONE' })
  })

  test('of a task that has been run since before are taken with an older epoch', async () => {
    const scene = await StreamsScene.open()
    const [a, b] = [new StreamsThread('a'), new StreamsThread('b')]
    await scene.settle([a, b])
    await a.leave(scene)
    await b.beat(scene)
    const commit = (partition: number) =>
      scene.scene.commit({ [`orders-${partition}`]: 7 }, { group: 'app', memberId: 'b', generationId: 3 })
    expect(b.memberEpoch).toBe(4)
    expect(await commit(4)).toEqual({ 'orders-4': 'NONE' })
    expect(await commit(0)).toEqual({ 'orders-0': 'STALE_MEMBER_EPOCH' })
  })

  test('expire once nobody runs the application any more, and the group goes with the last of them', async () => {
    const minute = 60_000
    const scene = await StreamsScene.open({
      offsetsRetentionMs: 2 * minute,
      offsetsRetentionCheckIntervalMs: minute,
    })
    const thread = new StreamsThread('a')
    await thread.beat(scene)
    await scene.scene.commit({ 'orders-0': 7 }, { group: 'app', memberId: 'a', generationId: 2 })
    for (let passed = 0; passed < 5 * minute; passed += minute / 2) {
      await scene.scene.clock.advance(minute / 2)
      await thread.beat(scene)
    }
    expect(await scene.scene.committed(['orders-0'], 'app')).toEqual({ 'orders-0': 7 })
    await thread.leave(scene)
    await scene.scene.clock.advance(2 * minute)
    expect(await scene.scene.committed(['orders-0'], 'app')).toEqual({ 'orders-0': -1 })
    expect((await scene.describe()).error).toBe('GROUP_ID_NOT_FOUND')
    await sound(scene)
  })

  test('of topics that the application reads are not deleted while it runs', async () => {
    const scene = await StreamsScene.open()
    const thread = new StreamsThread('a')
    await thread.beat(scene)
    await scene.scene.commit({ 'orders-0': 7 }, { group: 'app', memberId: 'a', generationId: 2 })
    const remove = async (name: string) => {
      const topics = [{ name, partitions: [{ partitionIndex: 0 }] }]
      const [result] = await scene.scene.coordinator.deleteOffsets({ groupId: 'app', topics })
      return result!.partitions[0]!.errorCode
    }
    expect(await remove('orders')).toBe(86)
    expect(await remove('payments')).toBe(0)
    await thread.leave(scene)
    expect(await remove('orders')).toBe(0)
    expect(await scene.scene.committed(['orders-0'], 'app')).toEqual({ 'orders-0': -1 })
  })
})
