import { KafkaError } from '../../protocol/errors.ts'
import type { ShareGroupHeartbeatRequest } from '../../protocol/messages/76-share-group-heartbeat.ts'
import type { Caller } from '../caller.ts'
import { initialEpoch } from '../modern/target-assignment.ts'
import { groupRecord } from '../records.ts'
import type { Decide, Turn } from '../turn.ts'
import { describeShareGroup, undescribed, type DescribedShareGroup } from './describe.ts'
import type { InitializedTopic, ShareGroup } from './group.ts'
import { checkShareHeartbeat, shareHeartbeat, type ShareHeartbeatReply } from './heartbeat.ts'
import {
  writeDeleted,
  writeDeleting,
  writeForgotten,
  writeInitialized,
  type TopicPartitionsToInitialize,
} from './initialization.ts'
import type { ShareCoordinator } from './state/coordinator.ts'
import type { ShareKey } from './state/key.ts'

/** A partition that is to begin at another offset. */
export interface NewStart {
  readonly topicId: string
  readonly topicName: string
  readonly partition: number
  readonly startOffset: number
}

/** Runs an operation of the group coordinator where a group is coordinated. */
export interface GroupOperations {
  run<Reply>(groupId: string, decide: Decide<Reply>): Promise<Reply>
}

/** The share groups of a group coordinator. Whatever is refused as a whole rejects with a KafkaError. */
export class ShareGroups {
  readonly #groups: GroupOperations
  readonly #states: ShareCoordinator
  readonly #sizeMax: number

  /** `sizeMax`: group.share.max.size. */
  constructor(groups: GroupOperations, states: ShareCoordinator, sizeMax: number) {
    this.#groups = groups
    this.#states = states
    this.#sizeMax = sizeMax
  }

  /** ShareGroupHeartbeat. Partitions that the group never read are made known to the share coordinator before anybody is assigned them. */
  async heartbeat(request: ShareGroupHeartbeatRequest, caller: Caller): Promise<ShareHeartbeatReply> {
    checkShareHeartbeat(request)
    const { groupId } = request
    for (;;) {
      const beat = await this.#groups.run(groupId, turn =>
        shareHeartbeat(turn, request, caller, this.#sizeMax),
      )
      if ('reply' in beat) return beat.reply
      await this.#makeKnown(groupId, beat.initialize)
      await this.#groups.run(groupId, turn => writeInitialized(turn, groupId, beat.initialize))
    }
  }

  async #makeKnown(groupId: string, topics: readonly TopicPartitionsToInitialize[]): Promise<void> {
    const making = topics.flatMap(topic =>
      keysOf(groupId, [topic]).map(key =>
        topic.isDeleting ? this.#states.reset(key) : this.#states.ensure(key),
      ),
    )
    await Promise.all(making)
  }

  /** ShareGroupDescribe: each group has its own error. */
  describe(groupIds: readonly string[]): Promise<DescribedShareGroup[]> {
    return Promise.all(
      groupIds.map(async groupId => {
        try {
          return await this.#groups.run(groupId, turn => describeShareGroup(turn, groupId))
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          return undescribed(groupId, error.code, error.message)
        }
      }),
    )
  }

  /** Where a group has offsets; nowhere, if it is not there. */
  initialized(groupId: string): Promise<InitializedTopic[]> {
    return this.#groups.run(groupId, turn => [...(turn.state.share(groupId)?.initialized.values() ?? [])])
  }

  /** AlterShareGroupOffsets: the group, which has to be empty and is made if need be, goes on from other offsets. Rejects with NON_EMPTY_GROUP, or with GROUP_ID_NOT_FOUND where its id is another's. */
  async alterOffsets(groupId: string, starts: readonly NewStart[]): Promise<void> {
    // With its epoch rises that of the offsets, so that nobody goes on from where the group was before.
    const epoch = await this.#groups.run(groupId, turn => {
      const group = turn.state.groups.has(groupId) ? foundEmpty(turn, groupId) : undefined
      const value = { epoch: (group?.epoch ?? initialEpoch) + 1, metadataHash: group?.metadataHash ?? 0n }
      turn.write(groupRecord('shareGroupMetadata', { groupId }, value))
      return value.epoch
    })
    await Promise.all(
      starts.map(({ topicId, partition, startOffset }) =>
        this.#states.initialize({ groupId, topicId, partition }, epoch, startOffset),
      ),
    )
    await this.#groups.run(groupId, turn => writeInitialized(turn, groupId, byTopic(starts)))
  }

  /**
   * DeleteShareGroupOffsets: the group, which has to be empty, has never read these topics. Resolves with the ids of those where it
   * had offsets. Rejects with NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND.
   */
  async deleteOffsets(groupId: string, topicIds: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const topics = await this.#groups.run(groupId, turn =>
      writeDeleting(turn, foundEmpty(turn, groupId), topicId => topicIds.has(topicId)),
    )
    await this.#forget(groupId, topics)
    return new Set(topics.map(({ topicId }) => topicId))
  }

  /** Before a group is deleted: what the share coordinator knows of it goes first, so that none of it stays behind. */
  async forgetAll(groupId: string): Promise<void> {
    const topics = await this.#groups.run(groupId, turn => {
      const group = turn.state.share(groupId)
      return group?.isEmpty ? writeDeleting(turn, group, () => true) : []
    })
    await this.#forget(groupId, topics)
  }

  /** The group has it in its log that they are being deleted, so that members who come meanwhile, or after a crash, begin anew. */
  async #forget(groupId: string, topics: readonly InitializedTopic[]): Promise<void> {
    await Promise.all(keysOf(groupId, topics).map(key => this.#states.delete(key)))
    await this.#groups.run(groupId, turn => {
      const group = turn.state.share(groupId)
      if (group) writeDeleted(turn, group, topics)
    })
  }
}

/** Decides what goes with deleted topics: nobody has offsets there any more. */
export function forgetSharedTopics(turn: Turn, topicIds: ReadonlySet<string>): void {
  for (const group of shareGroups(turn)) writeForgotten(turn, group, topicId => topicIds.has(topicId))
}

/** Decides the same of every topic that is not there. */
export function forgetAbsentSharedTopics(turn: Turn): void {
  const { lookup } = turn.environment
  for (const group of shareGroups(turn))
    writeForgotten(turn, group, topicId => lookup.topicName(topicId) === undefined)
}

function shareGroups({ state }: Turn): ShareGroup[] {
  return Array.from(state.groups.keys()).flatMap(groupId => state.share(groupId) ?? [])
}

function byTopic(starts: readonly NewStart[]): InitializedTopic[] {
  const topics = new Map<string, { topicId: string; topicName: string; partitions: number[] }>()
  for (const { topicId, topicName, partition } of starts) {
    const topic = topics.get(topicId)
    if (topic) topic.partitions.push(partition)
    else topics.set(topicId, { topicId, topicName, partitions: [partition] })
  }
  return [...topics.values()]
}

function keysOf(groupId: string, topics: readonly InitializedTopic[]): ShareKey[] {
  return topics.flatMap(({ topicId, partitions }) =>
    partitions.map(partition => ({ groupId, topicId, partition })),
  )
}

function found(turn: Turn, groupId: string): ShareGroup {
  const group = turn.state.share(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
  return group
}

function foundEmpty(turn: Turn, groupId: string): ShareGroup {
  const group = found(turn, groupId)
  if (!group.isEmpty) throw new KafkaError('NON_EMPTY_GROUP', 'The group is not empty.')
  return group
}
