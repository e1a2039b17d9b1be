import { describe, expect, test } from 'vitest'
import { encode } from '../../../src/protocol/compile.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../../src/protocol/messages/consumer-protocol.ts'
import { assignmentOf } from '../../../src/groups/consumer/embedded-protocol.ts'
import { caller, GroupScene, subscription, type Joined } from '../../support/group-scene.ts'
import { converge, TestConsumer } from '../../support/test-consumer.ts'

function assignment(partitions: number[], userData: Buffer | null = null): string {
  const body = encode(ConsumerProtocolAssignment, 1, {
    assignedPartitions: [{ topic: 'orders', partitions }],
    userData,
  })
  return Buffer.concat([Buffer.from([0, 1]), body]).toString('latin1')
}

/** A classic group of two members, with half of the partitions each. */
async function classicPair(scene: GroupScene, userData: Buffer | null = null) {
  const { ids, generationId, leader } = await scene.form(['a', 'b'])
  const joining = ids.map(memberId =>
    scene.join({ memberId, protocols: [{ name: 'range', metadata: subscription('orders', 'payments') }] }),
  )
  await scene.clock.advance(0)
  await Promise.all(joining)
  const shares = [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ].map(partitions => Buffer.from(assignment(partitions, userData), 'latin1'))
  const syncing = [...ids].map(memberId =>
    scene.coordinator.sync(
      {
        groupId: 'readers',
        generationId: generationId + 1,
        memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments:
          memberId === leader ? ids.map((id, index) => ({ memberId: id, assignment: shares[index]! })) : [],
      },
      caller(5),
    ),
  )
  await Promise.all(syncing)
  return { ids, generationId: generationId + 1 }
}

const owned = (bytes: string): number[] =>
  assignmentOf(Buffer.from(bytes, 'latin1'))!.assignedPartitions.flatMap(({ partitions }) => partitions)

/** A classic member in a consumer group: joins, and says what it hears. */
class ClassicConsumer {
  generationId: number
  owned: number[]
  readonly scene: GroupScene
  readonly memberId: string

  constructor(scene: GroupScene, memberId: string, generationId: number, partitions: number[]) {
    this.scene = scene
    this.memberId = memberId
    this.generationId = generationId
    this.owned = partitions
  }

  async beat(): Promise<string> {
    const beat = await this.scene.heartbeat(this.memberId, this.generationId)
    if (beat === 'REBALANCE_IN_PROGRESS') await this.rejoin()
    return beat
  }

  async rejoin(): Promise<Joined> {
    const joined = await this.scene.join({
      memberId: this.memberId,
      protocols: [{ name: 'range', metadata: subscriptionOwning(this.owned) }],
    })
    expect(joined).toMatchObject({
      error: 'NONE',
      memberId: this.memberId,
      protocolName: 'range',
      members: [],
    })
    this.generationId = joined.generationId
    const reply = await this.scene.coordinator.sync(
      {
        groupId: 'readers',
        generationId: this.generationId,
        memberId: this.memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: [],
      },
      caller(5),
    )
    this.owned = owned(reply.assignment.toString('latin1'))
    return joined
  }
}

function subscriptionOwning(partitions: number[]): Buffer {
  const body = encode(ConsumerProtocolSubscription, 1, {
    topics: ['orders'],
    ownedPartitions: [{ topic: 'orders', partitions }],
  })
  return Buffer.concat([Buffer.from([0, 1]), body])
}

async function close(scene: GroupScene): Promise<void> {
  expect(await scene.coordinator.audit()).toEqual([])
  expect(scene.bugs).toEqual([])
  await scene.coordinator.close()
}

describe('an upgrade', () => {
  test('happens when the first member of the consumer protocol comes, and classic members go on with what they have', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await classicPair(scene)
    const c = await new TestConsumer(scene, 'c').join()
    expect(c).toMatchObject({ error: 'NONE', epoch: generationId + 1, owned: [] })
    const [described] = await scene.coordinator.describeConsumers(['readers'])
    expect(described!.members.map(({ memberId, memberType }) => [memberId, memberType])).toEqual([
      [ids[0], 0],
      [ids[1], 0],
      ['c', 1],
    ])
    expect(described!.members[0]!.assignment.topicPartitions).toMatchObject([
      { topicName: 'orders', partitions: [0, 1, 2, 3] },
    ])
    expect((await scene.describe()).errorMessage).toBe('Group readers is not a classic group.')

    const [a, b] = ids.map(
      (id, index) => new ClassicConsumer(scene, id, generationId, index === 0 ? [0, 1, 2, 3] : [4, 5, 6, 7]),
    )
    for (let round = 0; round < 4; round++) {
      await a!.beat()
      await b!.beat()
      await c.beat()
    }
    expect(await a!.beat()).toBe('NONE')
    expect(
      new Set([
        ...a!.owned.map(each => `orders-${each}`),
        ...b!.owned.map(each => `orders-${each}`),
        ...c.owned,
      ]).size,
    ).toBe(8)
    expect([a!.owned.length, b!.owned.length, c.owned.length].sort()).toEqual([2, 3, 3])
    const next = await scene.crash()
    expect((await next.coordinator.describeConsumers(['readers']))[0]!.groupState).toBe('Stable')
    await close(next)
    await close(scene)
  })

  test.each(['disabled', 'downgrade'])('does not happen where the policy is %s', async policy => {
    const scene = await GroupScene.open({ groupConsumerMigrationPolicy: policy })
    const { ids, generationId } = await classicPair(scene)
    const c = await new TestConsumer(scene, 'c').join()
    expect(c).toMatchObject({
      error: 'GROUP_ID_NOT_FOUND',
      message: 'Cannot upgrade classic group readers to consumer group because online upgrade is disabled.',
    })
    expect(await scene.heartbeat(ids[0]!, generationId)).toBe('NONE')
    await close(scene)
  })

  test('does not happen where a custom assignor would lose its data, or the group is of another kind', async () => {
    const scene = await GroupScene.open()
    await classicPair(scene, Buffer.from('mine'))
    const c = await new TestConsumer(scene, 'c').join()
    expect(c.error).toBe('GROUP_ID_NOT_FOUND')
    expect(c.message).toContain('custom assignor')
    await scene.form(['w'], { group: 'connect', protocolType: 'connect' })
    const d = await new TestConsumer(scene, 'd', { group: 'connect' }).join()
    expect(d.message).toContain('does not use the consumer embedded protocol')
    await close(scene)
  })

  test('of an empty classic group needs no policy, and its offsets stay', async () => {
    const scene = await GroupScene.open({ groupConsumerMigrationPolicy: 'disabled' })
    await scene.commit({ 'orders-1': 5 })
    const c = await new TestConsumer(scene, 'c').join()
    expect(c.owned).toHaveLength(8)
    expect(await scene.committed()).toEqual({ 'orders-1': 5 })
    const next = await scene.crash()
    expect(await next.committed()).toEqual({ 'orders-1': 5 })
    await close(next)
    await close(scene)
  })
})

describe('a downgrade', () => {
  test('happens when the last member of the consumer protocol leaves', async () => {
    const scene = await GroupScene.open()
    const { ids, generationId } = await classicPair(scene)
    const c = await new TestConsumer(scene, 'c').join()
    const [a, b] = ids.map(
      (id, index) => new ClassicConsumer(scene, id, generationId, index === 0 ? [0, 1, 2, 3] : [4, 5, 6, 7]),
    )
    for (let round = 0; round < 4; round++) {
      await a!.beat()
      await b!.beat()
      await c.beat()
    }
    await c.leave()
    expect(c.error).toBe('NONE')
    expect(await scene.describe()).toMatchObject({
      groupState: 'PreparingRebalance',
      protocolType: 'consumer',
    })
    expect(await scene.heartbeat(ids[0]!, a!.generationId)).toBe('REBALANCE_IN_PROGRESS')
    const joining = ids.map(memberId => scene.join({ memberId }))
    const joined = await Promise.all(joining)
    expect(joined.map(({ error }) => error)).toEqual(['NONE', 'NONE'])
    expect(joined[0]!.generationId).toBeGreaterThan(a!.generationId)
    const next = await scene.crash()
    expect((await next.describe()).members).toHaveLength(2)
    await close(next)
    await close(scene)
  })

  test('does not happen where the policy forbids it: the group stays a consumer group of classic members', async () => {
    const scene = await GroupScene.open({ groupConsumerMigrationPolicy: 'upgrade' })
    await classicPair(scene)
    const c = await new TestConsumer(scene, 'c').join()
    await c.leave()
    const [described] = await scene.coordinator.describeConsumers(['readers'])
    expect(described).toMatchObject({ errorCode: 0, groupState: 'Assigning' })
    expect(described!.members).toHaveLength(2)
    await close(scene)
  })
})

describe('a classic member', () => {
  test('joins a consumer group with an id that it is given first, and leaves it', async () => {
    const scene = await GroupScene.open()
    const c = await new TestConsumer(scene, 'c').join()
    const first = await scene.join()
    expect(first.error).toBe('MEMBER_ID_REQUIRED')
    const a = new ClassicConsumer(scene, first.memberId, -1, [])
    await a.rejoin()
    expect(a.owned).toEqual([])
    for (let round = 0; round < 3; round++) {
      await c.beat()
      await a.beat()
    }
    expect(a.owned).toHaveLength(4)
    expect(await scene.heartbeat(a.memberId, a.generationId - 1)).toBe('ILLEGAL_GENERATION')
    expect(await scene.heartbeat('c', c.epoch)).toBe('UNKNOWN_MEMBER_ID')
    expect(
      await scene.commit({ 'orders-1': 1 }, { memberId: a.memberId, generationId: a.generationId }),
    ).toEqual({
      'orders-1': 'NONE',
    })
    expect(
      await scene.commit({ 'orders-1': 1 }, { memberId: a.memberId, generationId: a.generationId + 1 }),
    ).toEqual({
      'orders-1': 'ILLEGAL_GENERATION',
    })
    expect(await scene.leave([{ memberId: a.memberId }, { memberId: 'nobody' }])).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID',
    ])
    await converge(c)
    expect(c.owned).toHaveLength(8)
    await close(scene)
  })

  test('that does not ask for its assignment in time is dropped', async () => {
    const scene = await GroupScene.open()
    const c = await new TestConsumer(scene, 'c').join()
    const { memberId } = await scene.join()
    const joined = await scene.join({ memberId, rebalanceTimeoutMs: 8_000, sessionTimeoutMs: 30_000 })
    expect(joined.error).toBe('NONE')
    await scene.clock.advance(8_000)
    expect(await scene.heartbeat(memberId, joined.generationId)).toBe('UNKNOWN_MEMBER_ID')
    await converge(c)
    await close(scene)
  })

  test('is refused where migration is disabled', async () => {
    const scene = await GroupScene.open({ groupConsumerMigrationPolicy: 'disabled' })
    await new TestConsumer(scene, 'c').join()
    expect((await scene.join()).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    await close(scene)
  })

  test('finds an empty consumer group to be a classic one', async () => {
    const scene = await GroupScene.open()
    const c = await new TestConsumer(scene, 'c').join()
    await c.leave()
    const { ids } = await scene.form(['a'])
    expect((await scene.describe()).members.map(({ memberId }) => memberId)).toEqual(ids)
    const next = await scene.crash()
    expect((await next.describe()).groupState).toBe('Stable')
    await close(next)
    await close(scene)
  })
})
