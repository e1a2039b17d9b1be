import { expect } from 'vitest'
import type { GroupSettings } from '../../../src/groups/settings.ts'
import { decode } from '../../../src/protocol/compile.ts'
import {
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../../src/protocol/messages/consumer-offsets-records.ts'
import { caller, GroupScene } from '../../support/group-scene.ts'
import { GroupTopics } from '../../support/group-topics.ts'
import { TestNumberedTopic } from '../../support/numbered-topic.ts'

export const group = 'readers'

export type StrategyName = 'per_partition' | 'vlsn' | 'hybrid'

/** A coordinator, and `events`, a topic of VLSNs with three partitions; `orders` is a topic like others. */
export async function eventsScene(
  strategy: StrategyName = 'vlsn',
  written = 30,
  settings: Partial<GroupSettings> = {},
) {
  const events = new TestNumberedTopic('events', 3).write(written)
  const topics = new GroupTopics({ orders: 8 })
  topics.createNumbered(events)
  const scene = await GroupScene.open(settings, { topics })
  scene.configs.set('odradek.commit.strategy', group, strategy)
  return { scene, events }
}

export function choose(scene: GroupScene, strategy: StrategyName): void {
  scene.configs.set('odradek.commit.strategy', group, strategy)
}

export async function close(...scenes: GroupScene[]): Promise<void> {
  for (const scene of scenes) {
    expect(await scene.coordinator.audit()).toEqual([])
    expect(scene.bugs).toEqual([])
    await scene.coordinator.close()
  }
}

/** Commits offsets in a transaction, given as { 'events-0': 5 }. */
export async function commitFor(
  scene: GroupScene,
  producerId: bigint,
  offsets: Record<string, number>,
): Promise<void> {
  const topics = Object.entries(offsets).map(([name, offset]) => {
    const [topic, partition] = name.split('-') as [string, string]
    const committed = { committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: '' }
    return { name: topic, partitions: [{ partitionIndex: Number(partition), ...committed }] }
  })
  const request = { transactionalId: 'app', groupId: group, producerId, producerEpoch: 0, topics }
  const member = { generationId: -1, memberId: '', groupInstanceId: null }
  const answer = await scene.coordinator.commitInTransaction({ ...request, ...member }, caller(4), () => {})
  for (const topic of answer.topics) for (const { errorCode } of topic.partitions) expect(errorCode).toBe(0)
}

export function end(scene: GroupScene, producerId: bigint, type: 'COMMIT' | 'ABORT'): Promise<void> {
  return scene.coordinator.endTransaction(scene.coordinator.partitionOf(group), {
    type,
    producerId,
    producerEpoch: 0,
    coordinatorEpoch: 0,
    timestamp: 0n,
    transactionVersion: 1,
  })
}

/** The offsets that the log has gained since `from` entries, as `topic-partition: offset metadata`, and how many there are by now. */
export function logged(scene: GroupScene, from = 0): { records: string[]; count: number } {
  const all = scene.topic.recordsOf(scene.coordinator.partitionOf(group))
  const records = all.slice(from).flatMap(({ key, value }) => {
    if (key.readInt16BE(0) !== 1) return []
    const { topic, partition } = decode(OffsetCommitKey, 0, key.subarray(2))
    if (!value) return [`${topic}-${partition}: none`]
    const { offset, metadata } = decode(OffsetCommitValue, value.readInt16BE(0), value.subarray(2))
    return [`${topic}-${partition}: ${offset} ${metadata}`.trimEnd()]
  })
  return { records, count: all.length }
}
