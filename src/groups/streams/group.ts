import type { Clock } from '../../base/clock.ts'
import { Deadline } from '../../coordination/deadline.ts'
import type { StateRecord } from '../../coordination/state-topic.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { OffsetCommitValue } from '../../protocol/messages/consumer-offsets-records.ts'
import type { Caller } from '../caller.ts'
import type { Committer, CommitTarget, Group } from '../group.ts'
import type { Turn } from '../turn.ts'
import { auditStreams, durableStreams } from './audit.ts'
import { checkStreamsCommit, checkStreamsFetch } from './check-offsets.ts'
import type { ConfiguredTopology } from './configured-topology.ts'
import { described, isReconciledTo, newMember, placed, type StreamsMember } from './member.ts'
import { groupTombstones, type StreamsRecord } from './records.ts'
import { resumeStreams } from './sessions.ts'
import { TaskHolders } from './task-holders.ts'
import { noTasks, tasksFrom, type Tasks } from './tasks.ts'
import { readerOf, type Topology } from './topology.ts'

/** Kafka's names, as StreamsGroupDescribe shows them. Its sixth, Dead, is a group that is not there. */
export type StreamsState = 'Empty' | 'NotReady' | 'Assigning' | 'Reconciling' | 'Stable'

/** The epochs of a group that nobody has joined yet. */
const firstEpoch = 1

/** What was found out about the topology at some version of the topics. */
interface Configured {
  readonly topicsVersion: number
  readonly metadataHash: bigint
  readonly topology: ConfiguredTopology
}

/**
 * A streams group (KIP-1071): the instances of one Kafka Streams application. What its records say changes by `replay`
 * alone; the rest is soft and a restart forgets it, as Kafka's does.
 */
export class StreamsGroup implements Group {
  readonly type = 'streams'
  readonly protocolType = 'streams'
  readonly groupId: string
  readonly #clock: Clock

  epoch = firstEpoch
  metadataHash = 0n
  /** The epoch of the topology that could be laid over the topics; -1 while none could. */
  validatedTopologyEpoch = -1
  /** The assignor's settings at the last change of the epoch. */
  lastAssignmentConfigs: ReadonlyMap<string, string> = new Map()
  topology: Topology | undefined
  /** In the order in which they came. */
  readonly members = new Map<string, StreamsMember>()
  assignmentEpoch = firstEpoch
  /** When the target was computed, in milliseconds; 0 when there was none. */
  assignedAtMs = 0
  readonly holders = new TaskHolders()
  readonly #targets = new Map<string, Tasks>()

  configured: Configured | undefined
  /** Rises whenever a member that has an endpoint gets other tasks. */
  endpointInformationEpoch = 0
  /** The member that wants the whole application to shut down. */
  shutdownRequestedBy: string | undefined
  /** The first assignment waits for more members until then. */
  readonly initialDelay: Deadline
  readonly sessions = new Map<string, Deadline>()
  /** Until when members are to have given back what they were told to. */
  readonly revocations = new Map<string, Deadline>()

  constructor(groupId: string, clock: Clock) {
    this.groupId = groupId
    this.#clock = clock
    this.initialDelay = new Deadline(clock)
  }

  /** Applies a record. The one that removes the group is not for the group itself. */
  replay(record: StreamsRecord): void {
    switch (record.type) {
      case 'streamsGroupMetadata': {
        const { value } = record
        if (!value) return
        this.epoch = value.epoch
        this.metadataHash = value.metadataHash
        this.validatedTopologyEpoch = value.validatedTopologyEpoch
        const configs = value.lastAssignmentConfigs ?? []
        this.lastAssignmentConfigs = new Map(configs.map(({ key, value }) => [key, value]))
        return
      }
      case 'streamsGroupTopology':
        this.topology = record.value ?? undefined
        this.configured = undefined
        return
      case 'streamsGroupTargetAssignmentMetadata':
        this.assignmentEpoch = record.value?.assignmentEpoch ?? -1
        this.assignedAtMs = Number(record.value?.assignmentTimestamp ?? 0n)
        return
      case 'streamsGroupTargetAssignmentMember': {
        const { key, value } = record
        if (!value) this.#targets.delete(key.memberId)
        else {
          this.#targets.set(key.memberId, {
            active: tasksFrom(value.activeTasks),
            standby: tasksFrom(value.standbyTasks),
            warmup: tasksFrom(value.warmupTasks),
          })
        }
        return
      }
      case 'streamsGroupMemberMetadata': {
        const { key, value } = record
        this.#put(key.memberId, value ? described(this.#memberOrNew(key.memberId), value) : undefined)
        return
      }
      case 'streamsGroupCurrentMemberAssignment': {
        const { key, value } = record
        if (value) this.#put(key.memberId, placed(this.#memberOrNew(key.memberId), value))
        // The member itself goes with its metadata, which is removed next.
        else if (this.members.has(key.memberId)) {
          const { assigned, pendingRevocation } = newMember(key.memberId)
          this.#put(key.memberId, { ...this.members.get(key.memberId)!, assigned, pendingRevocation })
        }
      }
    }
  }

  #memberOrNew(memberId: string): StreamsMember {
    return this.members.get(memberId) ?? newMember(memberId)
  }

  #put(memberId: string, member: StreamsMember | undefined): void {
    this.holders.replace(this.members.get(memberId), member)
    if (member) this.members.set(memberId, member)
    else {
      this.members.delete(memberId)
      this.sessions.get(memberId)?.cancel()
      this.sessions.delete(memberId)
      this.revocations.get(memberId)?.cancel()
      this.revocations.delete(memberId)
      if (this.members.size === 0) this.shutdownRequestedBy = undefined
    }
  }

  /** What a member is to have. */
  target(memberId: string): Tasks {
    return this.#targets.get(memberId) ?? noTasks
  }

  hasTarget(memberId: string): boolean {
    return this.#targets.has(memberId)
  }

  get state(): StreamsState {
    if (this.members.size === 0) return 'Empty'
    if (this.topology?.epoch !== this.validatedTopologyEpoch) return 'NotReady'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.members.values()) {
      if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  isSubscribedTo(topic: string): boolean {
    return !this.isEmpty && this.topology !== undefined && readerOf(this.topology, topic) !== undefined
  }

  checkCommit(_turn: Turn, committer: Committer, caller: Caller, targets: readonly CommitTarget[]): void {
    checkStreamsCommit(this, committer, caller, targets)
  }

  checkFetch(memberId: string | null, memberEpoch: number): void {
    checkStreamsFetch(this, memberId, memberEpoch)
  }

  unusedSinceMs({ commitTimestamp }: OffsetCommitValue): bigint {
    return commitTimestamp
  }

  resume(turn: Turn): void {
    resumeStreams(turn, this)
  }

  tombstones(): StateRecord[] {
    return groupTombstones(this.groupId)
  }

  /** A deadline of a member, made at its first use. */
  deadline(deadlines: Map<string, Deadline>, memberId: string): Deadline {
    let deadline = deadlines.get(memberId)
    if (!deadline) deadlines.set(memberId, (deadline = new Deadline(this.#clock)))
    return deadline
  }

  dispose(_error: ErrorName): void {
    this.initialDelay.cancel()
    for (const deadline of [...this.sessions.values(), ...this.revocations.values()]) deadline.cancel()
  }

  audit(): string[] {
    return auditStreams(this)
  }

  durablePart(): string {
    return durableStreams(this)
  }
}
