import { assert } from '../base/assert.ts'
import type { Cancel } from '../base/clock.ts'
import { CoordinatorPartitions } from '../coordination/partitions.ts'
import type { CoordinatorKind } from '../coordination/state.ts'
import type { StateTopic, TransactionEnd } from '../coordination/state-topic.ts'
import { errorCodes, KafkaError } from '../protocol/errors.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/messages/08-offset-commit.ts'
import type { JoinGroupRequest } from '../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest } from '../protocol/messages/12-heartbeat.ts'
import type { SyncGroupRequest } from '../protocol/messages/14-sync-group.ts'
import type {
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponse,
} from '../protocol/messages/28-txn-offset-commit.ts'
import type { ConsumerGroupHeartbeatRequest } from '../protocol/messages/68-consumer-group-heartbeat.ts'
import type { DeleteGroupsResponse } from '../protocol/messages/42-delete-groups.ts'
import type { OffsetDeleteRequest } from '../protocol/messages/47-offset-delete.ts'
import type { StreamsGroupHeartbeatRequest } from '../protocol/messages/88-streams-group-heartbeat.ts'
import type { Draft } from '../protocol/schema.ts'
import { auditState } from './audit.ts'
import type { Caller } from './caller.ts'
import { describe, type DescribedGroup } from './classic/describe.ts'
import { heartbeat } from './classic/heartbeat.ts'
import { join } from './classic/join.ts'
import { leave, type Leaver, type LeaveResult } from './classic/leave.ts'
import type { JoinReply, SyncReply } from './classic/member.ts'
import { joinRefusal, syncRefusal } from './classic/refusals.ts'
import { sync } from './classic/sync.ts'
import { settleOffsets } from './commits/choice.ts'
import { heartbeatConsumers } from './consumer/classic-members/heartbeat.ts'
import { joinConsumers } from './consumer/classic-members/join.ts'
import { leaveConsumers } from './consumer/classic-members/leave.ts'
import { syncConsumers } from './consumer/classic-members/sync.ts'
import { describeConsumers, type DescribedConsumers } from './consumer/describe.ts'
import { ConsumerGroup } from './consumer/group.ts'
import {
  heartbeat as consumerHeartbeat,
  type HeartbeatReply as ConsumerHeartbeatReply,
} from './consumer/heartbeat.ts'
import type { Environment } from './environment.ts'
import { commitOffsets, planCommits } from './offsets/commit.ts'
import {
  deleteGroup,
  deleteOffsets,
  forgetAbsentTopics,
  forgetTopics,
  type DeletedTopic,
} from './offsets/delete.ts'
import { expireOffsets } from './offsets/expire.ts'
import { fetchOffsets, type AskedGroup, type FetchedGroup } from './offsets/fetch.ts'
import { commitInTransaction, planTransactionalCommits } from './offsets/transactional-commit.ts'
import { Parked } from '../coordination/parked.ts'
import { list, type ListedGroup } from './list.ts'
import { PartitionState } from './partition-state.ts'
import { forgetAbsentSharedTopics, forgetSharedTopics } from './share/groups.ts'
import type { Decide, Turn } from './turn.ts'
import { describeStreams, undescribed, type DescribedStreamsGroup } from './streams/describe.ts'
import {
  heartbeat as streamsHeartbeat,
  heartbeatRefusal,
  type CreationFailures,
  type StreamsHeartbeatReply,
} from './streams/heartbeat.ts'
import type { InternalTopic } from './streams/topology.ts'

const kind: CoordinatorKind<PartitionState, Environment> = {
  topicName: '__consumer_offsets',
  create: ({ clock }) => new PartitionState(clock),
  resume: turn => {
    // A crash may have come between the deletion of a topic, which was answered, and what goes with it.
    forgetAbsentTopics(turn)
    forgetAbsentSharedTopics(turn)
    turn.state.groups.forEach(group => group.resume(turn))
    settleOffsets(turn, turn.state.offsets.groups())
  },
  audit: auditState,
}

/**
 * The group coordinator: who reads what, and how far they have come. Requests are decided in the order of the calls;
 * every reply waits until what it says is on disk. Whatever is refused as a whole rejects with a KafkaError.
 */
export class GroupCoordinator {
  readonly #environment: Environment
  readonly #partitions: CoordinatorPartitions<PartitionState, Environment>
  #cancelExpiry: Cancel | undefined
  #isClosed = false

  constructor(options: Environment & { readonly topic: StateTopic }) {
    this.#environment = options
    this.#partitions = new CoordinatorPartitions<PartitionState, Environment>(kind, options.topic, options)
  }

  /** Reads the whole of `__consumer_offsets`. Members of old have a session's time from now to be heard of. */
  async load(): Promise<void> {
    await this.#partitions.load()
    this.#scheduleExpiry()
  }

  /** Answers parked requests with NOT_COORDINATOR, refuses others with COORDINATOR_NOT_AVAILABLE, and stops all deadlines. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#cancelExpiry?.()
    return this.#partitions.close()
  }

  /** Runs an operation on a group, as those of the newer group types do. */
  run<Reply>(groupId: string, decide: Decide<Reply>): Promise<Reply> {
    return this.#partitions.run(groupId, decide)
  }

  /** JoinGroup. Waits until the group's members have come. */
  async join(request: JoinGroupRequest, caller: Caller): Promise<JoinReply> {
    const parked = new Parked<JoinReply>(errorCode => joinRefusal(request.memberId, errorCode))
    await this.#partitions.run(request.groupId, turn => {
      const group = consumersOf(turn, request.groupId)
      if (group) joinConsumers(turn, group, request, caller, parked)
      else join(turn, request, caller, parked)
    })
    return parked.reply
  }

  /** SyncGroup. Waits until the leader has assigned. */
  async sync(request: SyncGroupRequest, caller: Caller): Promise<SyncReply> {
    const parked = new Parked<SyncReply>(syncRefusal)
    await this.#partitions.run(request.groupId, turn => {
      const group = consumersOf(turn, request.groupId)
      if (group) syncConsumers(turn, group, request, parked)
      else sync(turn, request, caller, parked)
    })
    return parked.reply
  }

  /** Heartbeat. Resolves when all is well. */
  async heartbeat(request: HeartbeatRequest): Promise<void> {
    try {
      await this.#partitions.run(request.groupId, turn => {
        const group = consumersOf(turn, request.groupId)
        if (group) heartbeatConsumers(turn, group, request)
        else heartbeat(turn, request)
      })
    } catch (error) {
      // Nobody is expelled while the log is read, so a member need not look for another coordinator.
      if (error instanceof KafkaError && error.error === 'COORDINATOR_LOAD_IN_PROGRESS') return
      throw error
    }
  }

  /** LeaveGroup: the result of each member, in order. */
  leave(groupId: string, leavers: readonly Leaver[]): Promise<LeaveResult[]> {
    return this.#partitions.run(groupId, turn => {
      const group = consumersOf(turn, groupId)
      return group ? leaveConsumers(turn, group, leavers) : leave(turn, groupId, leavers)
    })
  }

  /** ConsumerGroupHeartbeat. Refusals are replies, since they have a message. */
  async consumerHeartbeat(
    request: ConsumerGroupHeartbeatRequest,
    caller: Caller,
  ): Promise<ConsumerHeartbeatReply> {
    try {
      return await this.#partitions.run(request.groupId, turn => consumerHeartbeat(turn, request, caller))
    } catch (error) {
      return {
        errorCode: codeOf(error),
        errorMessage: (error as Error).message,
        memberEpoch: 0,
        heartbeatIntervalMs: 0,
      }
    }
  }

  /** ConsumerGroupDescribe, consumer groups alone. Each group has its own error. */
  describeConsumers(groupIds: readonly string[]): Promise<DescribedConsumers[]> {
    return Promise.all(
      groupIds.map(groupId =>
        this.#partitions
          .run(groupId, turn => describeConsumers(turn, groupId))
          .catch((error: unknown) => ({
            errorCode: codeOf(error),
            errorMessage: (error as Error).message,
            groupId,
            groupState: '',
            groupEpoch: 0,
            assignmentEpoch: 0,
            assignorName: '',
            members: [],
          })),
      ),
    )
  }

  /** DescribeGroups, classic groups alone. A group whose partition cannot answer has the error itself. */
  describe(groupIds: readonly string[], caller: Caller): Promise<DescribedGroup[]> {
    return Promise.all(
      groupIds.map(groupId =>
        this.#partitions
          .run(groupId, turn => describe(turn, groupId, caller.version))
          .catch((error: unknown) => ({
            errorCode: codeOf(error),
            groupId,
            groupState: '',
            protocolType: '',
            protocolData: '',
            members: [],
          })),
      ),
    )
  }

  /** ListGroups, filtered by states and types; empty filters let all through. */
  async list(statesFilter: readonly string[], typesFilter: readonly string[]): Promise<ListedGroup[]> {
    const lists = this.#partitions.runEach(turn => list(turn, statesFilter, typesFilter))
    return (await Promise.all(lists)).flat()
  }

  /** DeleteGroups: the result of each group, in order. */
  delete(groupIds: readonly string[]): Promise<Draft<typeof DeleteGroupsResponse>['results']> {
    return Promise.all(
      groupIds.map(async groupId => {
        try {
          await this.#partitions.run(groupId, turn => deleteGroup(turn, groupId))
          return { groupId, errorCode: errorCodes.NONE }
        } catch (error) {
          return { groupId, errorCode: codeOf(error) }
        }
      }),
    )
  }

  /**
   * StreamsGroupHeartbeat; refusals are replies. Internal topics that the application needs are made by `create`, which
   * resolves with what could not be made.
   */
  async streamsHeartbeat(
    request: StreamsGroupHeartbeatRequest,
    caller: Caller,
    create: (topics: readonly InternalTopic[]) => Promise<CreationFailures>,
  ): Promise<StreamsHeartbeatReply> {
    const ask = (failures?: CreationFailures) =>
      this.#partitions.run(request.groupId, turn => streamsHeartbeat(turn, request, caller, failures))
    try {
      const outcome = await ask()
      if ('reply' in outcome) return outcome.reply
      const again = await ask(await create(outcome.missing))
      assert('reply' in again, 'topics were asked for twice')
      return again.reply
    } catch (error) {
      return heartbeatRefusal(codeOf(error), messageOf(error))
    }
  }

  /** StreamsGroupDescribe: each group, in order, or why it cannot be told of. */
  describeStreams(groupIds: readonly string[]): Promise<DescribedStreamsGroup[]> {
    return Promise.all(
      groupIds.map(groupId =>
        this.#partitions
          .run(groupId, turn => describeStreams(turn, groupId))
          .catch((error: unknown) => undescribed(groupId, codeOf(error), messageOf(error))),
      ),
    )
  }

  /** OffsetCommit. Every partition has its result; those that are committed are so together. */
  async commitOffsets(
    request: OffsetCommitRequest,
    caller: Caller,
  ): Promise<Draft<typeof OffsetCommitResponse>> {
    const { topics, commits } = planCommits(request, this.#environment.lookup, caller.version)
    if (commits.length > 0) {
      try {
        await this.#partitions.run(request.groupId, turn => commitOffsets(turn, request, caller, commits))
      } catch (error) {
        const errorCode = codeOf(error)
        for (const { result } of commits) result.errorCode = errorCode
      }
    }
    return { topics }
  }

  /**
   * TxnOffsetCommit: offsets that count once the producer's transaction is committed. `checkOngoing` throws unless a partition of
   * `__consumer_offsets` is in that transaction, and takes the producer's records; it is asked at the moment of the decision, so that no
   * offset comes behind the transaction's end. Every partition has its result.
   */
  async commitInTransaction(
    request: TxnOffsetCommitRequest,
    caller: Caller,
    checkOngoing: (partition: number) => void,
  ): Promise<Draft<typeof TxnOffsetCommitResponse>> {
    const { topics, commits } = planTransactionalCommits(request, this.#environment.lookup)
    if (commits.length === 0) return { topics }
    try {
      await this.#partitions.run(request.groupId, turn => {
        checkOngoing(this.partitionOf(request.groupId))
        commitInTransaction(turn, request, caller, commits)
      })
    } catch (error) {
      const errorCode = codeOf(error)
      for (const { result } of commits) result.errorCode = errorCode
    }
    return { topics }
  }

  /** The partition of `__consumer_offsets` that a group's offsets are in. */
  partitionOf(groupId: string): number {
    return this.#partitions.numberFor(groupId)
  }

  /** Resolves once nothing that was decided in a partition of `__consumer_offsets` is under way. */
  async settled(partition: number): Promise<void> {
    await this.#partitions.at(partition)?.settled()
  }

  /**
   * Ends a producer's transaction in a partition of `__consumer_offsets`: its offsets count from now on, or are dropped. Its order is
   * fixed before this returns; resolves when it is synced. Rejects with a KafkaError, UNKNOWN_TOPIC_OR_PARTITION among them.
   */
  async endTransaction(partition: number, end: TransactionEnd): Promise<void> {
    const coordinator = this.#partitions.at(partition)
    if (!coordinator) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    const groups = coordinator.state?.pendingOffsets.groupsOf(end.producerId) ?? []
    const ended = coordinator.endTransaction(end)
    if (end.type === 'ABORT' || groups.length === 0) return ended
    // In the same turn, so that no other decision is made on the half of it. Where it fails, so has the log, and is read again.
    const settled = coordinator.run(turn => settleOffsets(turn, groups))
    await Promise.all([ended, settled.catch((error: unknown) => this.#settlingFailed(error))])
  }

  #settlingFailed(error: unknown): void {
    if (!(error instanceof KafkaError)) throw error
    this.#environment.logger.warn({ err: error }, 'offsets of a transaction are settled later')
  }

  /** OffsetFetch of some groups, in order; each has its own error. */
  fetchOffsets(
    groups: readonly AskedGroup[],
    caller: Caller,
    requireStable = false,
  ): Promise<FetchedGroup[]> {
    return Promise.all(
      groups.map(async asked => {
        try {
          return await this.#partitions.run(asked.groupId, turn =>
            fetchOffsets(turn, asked, { version: caller.version, requireStable }),
          )
        } catch (error) {
          return { groupId: asked.groupId, topics: [], errorCode: codeOf(error) }
        }
      }),
    )
  }

  /** OffsetDelete: the result of each partition. */
  deleteOffsets(request: OffsetDeleteRequest): Promise<DeletedTopic[]> {
    return this.#partitions.run(request.groupId, turn => deleteOffsets(turn, request))
  }

  /** Removes the offsets of topics that were deleted, in every group. Where that fails they stay, as in Kafka: it is logged. */
  async topicsDeleted(topics: readonly { readonly name: string; readonly id: string }[]): Promise<void> {
    const topicIds = new Set(topics.map(({ id }) => id))
    const removals = this.#partitions.runEach(turn => {
      forgetTopics(turn, topics)
      forgetSharedTopics(turn, topicIds)
    })
    for (const removal of await Promise.allSettled(removals)) {
      if (removal.status === 'rejected') {
        const facts = { err: removal.reason, topic: topics[0]?.name, topicCount: topics.length }
        this.#environment.logger.warn(facts, 'offsets of deleted topics stay')
      }
    }
  }

  /** Looks for offsets that are too old, now and then. Where that fails they stay until the next time. */
  #scheduleExpiry(): void {
    if (this.#isClosed) return
    const { clock, settings, logger } = this.#environment
    this.#cancelExpiry = clock.after(settings.offsetsRetentionCheckIntervalMs, () => {
      this.#scheduleExpiry()
      for (const expiry of this.#partitions.runEach(expireOffsets)) {
        expiry.catch((error: unknown) => {
          logger.warn({ err: error }, 'old offsets stay')
          if (!(error instanceof KafkaError)) this.#environment.reportBug?.(error)
        })
      }
    })
  }

  /** Somebody has deleted `__consumer_offsets`, and with it every group. */
  offsetsDeleted(): void {
    this.#partitions.reset()
  }

  /** Compares all that is known with the log, and each group with itself. Returns what is unsound, in words. */
  audit(): Promise<string[]> {
    return this.#partitions.audit()
  }
}

/** The consumer group of this id, if anybody is in it; an empty one may become a classic group. */
function consumersOf(turn: Turn, groupId: string): ConsumerGroup | undefined {
  const group = turn.state.find(groupId, ConsumerGroup)
  return group && !group.isEmpty ? group : undefined
}

/** The code of a refusal; whatever else it is, it is our bug and goes on. */
function codeOf(error: unknown): number {
  if (error instanceof KafkaError) return error.code
  throw error
}

/** What a refusal says besides its code. */
function messageOf(error: unknown): string | null {
  return error instanceof KafkaError && error.message !== error.error ? error.message : null
}
