import { describe, expect, test } from 'vitest'
import { GroupScene } from '../../support/group-scene.ts'
import { converge, TestConsumer } from '../../support/test-consumer.ts'

async function described(scene: GroupScene, group = 'readers') {
  const [found] = await scene.coordinator.describeConsumers([group])
  return found!
}

async function close(scene: GroupScene): Promise<void> {
  expect(await scene.coordinator.audit()).toEqual([])
  expect(scene.bugs).toEqual([])
  await scene.coordinator.close()
}

describe('a member', () => {
  test('that comes first has everything at once', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a').join()
    expect(a).toMatchObject({ error: 'NONE', epoch: 2, heartbeatIntervalMs: 5_000 })
    expect(a.owned).toHaveLength(8)
    expect(await described(scene)).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 2,
      assignmentEpoch: 2,
      assignorName: 'uniform',
      members: [{ memberId: 'a', memberEpoch: 2, clientId: 'app', clientHost: '/127.0.0.1', memberType: 1 }],
    })
    await close(scene)
  })

  test('that comes later gets partitions as others let go of them, and never before', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a').join()
    const b = await new TestConsumer(scene, 'b').join()
    expect(b).toMatchObject({ epoch: 3, owned: [] })
    expect((await described(scene)).groupState).toBe('Reconciling')

    const before = a.owned
    await a.beat()
    // It is told what it keeps, and stays in its epoch until it says that it works on nothing else.
    expect(a).toMatchObject({ epoch: 2 })
    expect(a.owned).toHaveLength(4)
    await b.beat()
    expect(b.owned).toEqual([])
    await a.beat()
    expect(a.epoch).toBe(3)
    await b.beat()
    expect(b.owned).toHaveLength(4)
    expect([...a.owned, ...b.owned].sort()).toEqual(before.toSorted())
    expect((await described(scene)).groupState).toBe('Stable')
    await close(scene)
  })

  test('that leaves sets free what it had', async () => {
    const scene = await GroupScene.open()
    const [a, b] = [new TestConsumer(scene, 'a'), new TestConsumer(scene, 'b')]
    await a.join()
    await b.join()
    await converge(a, b)
    await a.leave()
    expect(a).toMatchObject({ error: 'NONE', epoch: -1 })
    expect((await described(scene)).groupState).toBe('Assigning')
    await b.beat()
    expect(b.owned).toHaveLength(8)
    await b.leave()
    expect(await described(scene)).toMatchObject({ groupState: 'Empty', groupEpoch: 5, members: [] })
    await close(scene)
  })

  test('that is not heard of for its session is fenced', async () => {
    const scene = await GroupScene.open()
    const [a, b] = [new TestConsumer(scene, 'a'), new TestConsumer(scene, 'b')]
    await a.join()
    await b.join()
    await converge(a, b)
    await scene.clock.advance(44_000)
    await b.beat()
    await scene.clock.advance(1_000)
    await b.beat()
    expect(b.owned).toHaveLength(8)
    await a.beat()
    expect(a.error).toBe('UNKNOWN_MEMBER_ID')
    await close(scene)
  })

  test('that does not let go within its rebalance timeout is fenced', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a', { rebalanceTimeoutMs: 10_000 }).join()
    const b = await new TestConsumer(scene, 'b').join()
    const all = a.owned
    await a.beat()
    for (let time = 0; time < 10; time++) {
      a.owned = all
      await a.beat({ topicPartitions: null })
      await scene.clock.advance(1_000)
    }
    await a.beat()
    expect(a.error).toBe('UNKNOWN_MEMBER_ID')
    await b.beat()
    expect(b.owned).toHaveLength(8)
    await close(scene)
  })

  test('that is told again what it has when its answer was lost', async () => {
    const scene = await GroupScene.open()
    const [a, b] = [new TestConsumer(scene, 'a'), new TestConsumer(scene, 'b')]
    await a.join()
    await b.join()
    await converge(a, b)
    const epoch = a.epoch
    await b.leave()
    await a.beat()
    expect(a.epoch).toBe(epoch + 1)
    const owned = a.owned
    a.epoch = epoch
    a.owned = []
    await a.beat({ rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'] })
    expect(a).toMatchObject({ error: 'NONE', epoch: epoch + 1, owned })
    await close(scene)
  })
})

describe('fencing', () => {
  test('meets an epoch that is not the member’s', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a').join()
    a.epoch = 7
    await a.beat()
    expect(a.error).toBe('FENCED_MEMBER_EPOCH')
    a.epoch = 2
    const [b, c] = [new TestConsumer(scene, 'b'), new TestConsumer(scene, 'c')]
    await b.join()
    await c.join()
    await converge(a, b, c)
    await c.leave()
    await converge(a, b)
    a.epoch = 1
    await a.beat()
    expect(a.error).toBe('FENCED_MEMBER_EPOCH')
    expect(a.message).toContain('smaller')
    await close(scene)
  })

  test('meets whoever is not there', async () => {
    const scene = await GroupScene.open()
    const a = new TestConsumer(scene, 'a')
    a.epoch = 3
    expect(await a.beat()).toMatchObject({
      error: 'GROUP_ID_NOT_FOUND',
      message: 'Consumer group readers not found.',
    })
    await new TestConsumer(scene, 'b').join()
    expect(await a.beat()).toMatchObject({
      error: 'UNKNOWN_MEMBER_ID',
      message: 'Member a is not a member of group readers.',
    })
    await close(scene)
  })

  test('meets a member too many', async () => {
    const scene = await GroupScene.open({ groupConsumerMaxSize: 1 })
    const a = await new TestConsumer(scene, 'a').join()
    const b = await new TestConsumer(scene, 'b').join()
    expect(b.error).toBe('GROUP_MAX_SIZE_REACHED')
    expect((await a.join()).error).toBe('NONE')
    await close(scene)
  })

  test.each([
    [{ memberId: '' }, "MemberId can't be empty."],
    [{ groupId: '' }, "GroupId can't be empty."],
    [{ instanceId: '' }, "InstanceId can't be empty."],
    [{ rackId: '' }, "RackId can't be empty."],
    [{ rebalanceTimeoutMs: -1 }, 'RebalanceTimeoutMs must be provided in first request.'],
    [{ topicPartitions: null }, 'TopicPartitions must be empty when (re-)joining.'],
    [
      { subscribedTopicNames: null },
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    ],
    [{ memberEpoch: -2 }, "InstanceId can't be null."],
    [{ memberEpoch: -3 }, 'MemberEpoch is invalid.'],
  ])('meets %j', async (draft, message) => {
    const scene = await GroupScene.open()
    const full = { rebalanceTimeoutMs: 1_000, subscribedTopicNames: ['orders'], topicPartitions: [] }
    const a = await new TestConsumer(scene, 'a').send({ ...full, ...draft })
    expect(a).toMatchObject({ error: 'INVALID_REQUEST', message })
    expect(scene.topic.appendCount).toBe(0)
    await close(scene)
  })

  test('meets an assignor that there is not', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a', { assignor: 'mine' }).join()
    expect(a).toMatchObject({
      error: 'UNSUPPORTED_ASSIGNOR',
      message: 'ServerAssignor mine is not supported. Supported assignors: uniform, range.',
    })
    await close(scene)
  })
})

describe('a static member', () => {
  test('that leaves for a while finds what it had, and nobody rebalances', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a', { instanceId: 'i1' }).join()
    const b = await new TestConsumer(scene, 'b').join()
    await converge(a, b)
    const [owned, epoch] = [a.owned, a.epoch]
    await a.leave(-2)
    expect(a).toMatchObject({ error: 'NONE', epoch: -2 })
    const again = await new TestConsumer(scene, 'a2', { instanceId: 'i1' }).join()
    expect(again).toMatchObject({ error: 'NONE', epoch, owned })
    await b.beat()
    expect(b.epoch).toBe(epoch)
    expect((await described(scene)).groupEpoch).toBe(epoch)
    await a.join()
    expect(a).toMatchObject({ error: 'UNRELEASED_INSTANCE_ID' })
    a.epoch = epoch
    expect((await a.beat()).error).toBe('FENCED_INSTANCE_ID')
    await close(scene)
  })

  test('that joins again under another name leaves the first one to others', async () => {
    const scene = await GroupScene.open()
    await new TestConsumer(scene, 'a', { instanceId: 'i1' }).join()
    const a = await new TestConsumer(scene, 'a', { instanceId: 'i2' }).join()
    const b = await new TestConsumer(scene, 'b', { instanceId: 'i1' }).join()
    expect([a.error, b.error]).toEqual(['NONE', 'NONE'])
    await close(scene)
  })

  test('that does not come back loses its place with its session', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a', { instanceId: 'i1' }).join()
    const b = await new TestConsumer(scene, 'b').join()
    await converge(a, b)
    await a.leave(-2)
    await scene.clock.advance(40_000)
    await b.beat()
    expect(b.owned).toHaveLength(4)
    await scene.clock.advance(5_000)
    await b.beat()
    expect(b.owned).toHaveLength(8)
    await close(scene)
  })

  test('whose place is taken cannot be followed by another', async () => {
    const scene = await GroupScene.open()
    await new TestConsumer(scene, 'a', { instanceId: 'i1' }).join()
    const other = await new TestConsumer(scene, 'b', { instanceId: 'i1' }).join()
    expect(other).toMatchObject({
      error: 'UNRELEASED_INSTANCE_ID',
      message:
        'Static member b with instance id i1 cannot join the group because the instance id is owned by a member.',
    })
    other.epoch = 2
    expect((await other.beat()).error).toBe('FENCED_INSTANCE_ID')
    const unknown = new TestConsumer(scene, 'c', { instanceId: 'i2' })
    unknown.epoch = 1
    expect(await unknown.beat()).toMatchObject({
      error: 'UNKNOWN_MEMBER_ID',
      message: 'Instance id i2 is unknown.',
    })
    await close(scene)
  })
})

describe('topics', () => {
  test('that are made, grow and go are noticed with the next heartbeat', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a', { topics: ['orders', 'later'] }).join()
    expect(a.owned).toHaveLength(8)
    scene.topics.create('later', 2)
    await a.beat()
    expect(a.owned).toHaveLength(10)
    scene.topics.grow('later', 3)
    await a.beat()
    expect(a.owned).toHaveLength(11)
    scene.topics.delete('orders')
    await converge(a)
    expect(a.owned.toSorted()).toEqual(['later-0', 'later-1', 'later-2'])
    scene.topics.create('elsewhere', 2)
    const { epoch } = a
    await a.beat()
    expect(a.epoch).toBe(epoch)
    await close(scene)
  })

  test('that are made anew under a name are other topics', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a').join()
    scene.topics.delete('orders')
    scene.topics.create('orders', 2)
    await converge(a)
    expect(a.owned.toSorted()).toEqual(['orders-0', 'orders-1'])
    await close(scene)
  })

  test('that a member reads no more are taken from it, and given to those who do', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a', { topics: ['orders', 'payments'] }).join()
    const b = await new TestConsumer(scene, 'b', { topics: ['payments'] }).join()
    await converge(a, b)
    await a.beat({ subscribedTopicNames: ['orders'] })
    expect(a.owned.every(each => each.startsWith('orders'))).toBe(true)
    await converge(a, b)
    expect(a.owned).toHaveLength(8)
    expect(b.owned).toHaveLength(8)
    await close(scene)
  })
})

describe('settings of the group', () => {
  test('take effect when they are altered', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a').join()
    scene.configs.set('consumer.heartbeat.interval.ms', 'readers', 6_000)
    scene.configs.set('consumer.session.timeout.ms', 'readers', 50_000)
    await a.beat()
    expect(a.heartbeatIntervalMs).toBe(6_000)
    await scene.clock.advance(49_000)
    await a.beat()
    expect(a.error).toBe('NONE')
    await scene.clock.advance(50_000)
    await a.beat()
    expect(a.error).toBe('UNKNOWN_MEMBER_ID')
    await close(scene)
  })

  test('hold assignments apart', async () => {
    const scene = await GroupScene.open()
    scene.configs.set('consumer.assignment.interval.ms', 'readers', 1_000)
    const a = await new TestConsumer(scene, 'a').join()
    const b = await new TestConsumer(scene, 'b').join()
    expect(b).toMatchObject({ epoch: 2, owned: [] })
    expect((await described(scene)).groupState).toBe('Assigning')
    await scene.clock.advance(1_000)
    await converge(a, b)
    expect(b.owned).toHaveLength(4)
    await close(scene)
  })
})

describe('after a crash', () => {
  test('the group goes on from what was synced, in the middle of a rebalance', async () => {
    const scene = await GroupScene.open()
    const [a, b] = [new TestConsumer(scene, 'a', { instanceId: 'i1' }), new TestConsumer(scene, 'b')]
    await a.join()
    await b.join()
    await a.beat()
    const before = await described(scene)
    const next = await scene.crash()
    expect(await described(next)).toEqual(before)
    a.scene = b.scene = next
    await converge(a, b)
    expect([...a.owned, ...b.owned]).toHaveLength(8)
    await close(next)
  })

  test('members that do not come back are fenced, and those that hold on to partitions too', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a', { rebalanceTimeoutMs: 5_000 }).join()
    await new TestConsumer(scene, 'b').join()
    await a.beat()
    const next = await scene.crash()
    await next.clock.advance(5_000)
    expect((await described(next)).members.map(({ memberId }) => memberId)).toEqual(['b'])
    await next.clock.advance(40_000)
    expect((await described(next)).groupState).toBe('Empty')
    await close(next)
  })

  test('nobody is told what the log has not', async () => {
    const scene = await GroupScene.open()
    const a = await new TestConsumer(scene, 'a').join()
    scene.topic.hold()
    const joining = new TestConsumer(scene, 'b').join()
    const next = await scene.crash()
    expect((await described(next)).members).toHaveLength(1)
    scene.topic.release()
    expect((await joining).error).toBe('NONE')
    expect(a.epoch).toBe(2)
    await close(next)
  })
})
