import type { Clock } from '../../base/clock.ts'
import type { StateRecord } from '../../coordination/state-topic.ts'
import { KafkaError, type ErrorName } from '../../protocol/errors.ts'
import type { OffsetCommitValue } from '../../protocol/messages/consumer-offsets-records.ts'
import type { Caller } from '../caller.ts'
import type { Committer, CommitTarget, Group } from '../group.ts'
import { PartitionOwners } from '../modern/partition-owners.ts'
import { initialEpoch, TargetAssignment } from '../modern/target-assignment.ts'
import type { CoordinatorRecord } from '../records.ts'
import type { Turn } from '../turn.ts'
import { auditConsumers, durableConsumers } from './audit.ts'
import { checkConsumerCommit, checkConsumerFetch } from './check-epoch.ts'
import { ConsumerMember } from './member.ts'
import { groupTombstones, memberTombstones, resolvedRegex } from './records.ts'
import { resumeConsumers } from './resume.ts'
import { TopicPattern } from './topic-pattern.ts'

/** Kafka's names (ConsumerGroupState). Its fifth, Dead, is a group that is not there. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** A record of consumer groups. */
export type ConsumerRecord = Extract<CoordinatorRecord, { type: `consumerGroup${string}` }>

/**
 * A consumer group (KIP-848, Kafka's ConsumerGroup): the coordinator assigns, and moves each member to its target by heartbeats. What
 * records say changes by `replay` alone; deadlines and compiled patterns are soft.
 */
export class ConsumerGroup implements Group {
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly groupId: string
  readonly #clock: Clock
  /** Rises when members, subscriptions or topics change: then another target is due. */
  epoch = initialEpoch
  /** What the topics were like at this epoch; see `metadataHash`. */
  metadataHash = 0n
  /** In the order in which they came. */
  readonly members = new Map<string, ConsumerMember>()
  /** Member ids by group.instance.id. */
  readonly staticMembers = new Map<string, string>()
  readonly target = new TargetAssignment()
  /** Who works on what, or is to let go of it: nobody else may have that. */
  readonly owners = new PartitionOwners()
  /** The topics that each subscribed pattern stands for. */
  readonly resolved = new Map<string, readonly string[]>()
  /** The version of the topics that this group has taken note of; -1 after a start. */
  topicsVersion = -1
  readonly #patterns = new Map<string, TopicPattern>()
  /** Worked out when asked for, for a heartbeat of a large group must not look at every member. */
  #subscribedTopics: ReadonlySet<string> | undefined
  #regexes: ReadonlySet<string> | undefined

  constructor(groupId: string, clock: Clock) {
    this.groupId = groupId
    this.#clock = clock
  }

  /** Applies a record. One that only takes back what is not there changes nothing. */
  replay(record: ConsumerRecord): void {
    switch (record.type) {
      case 'consumerGroupMetadata':
        if (!record.value) return
        this.epoch = record.value.epoch
        this.metadataHash = record.value.metadataHash
        return
      case 'consumerGroupMemberMetadata': {
        this.#forgetSubscriptions()
        if (!record.value) return this.#remove(record.key.memberId)
        const member = this.#member(record.key.memberId)
        this.#forgetInstance(member)
        member.replayMetadata(record.value)
        if (member.instanceId !== null) this.staticMembers.set(member.instanceId, member.memberId)
        return
      }
      case 'consumerGroupCurrentMemberAssignment': {
        const { memberId } = record.key
        if (!record.value && !this.members.has(memberId)) return
        const member = this.#member(memberId)
        this.#disown(member)
        member.replayAssignment(record.value)
        this.owners.add(memberId, member.current.assigned)
        this.owners.add(memberId, member.current.revoking)
        return
      }
      case 'consumerGroupTargetAssignmentMember':
        return this.target.replayMember(record.key.memberId, record.value)
      case 'consumerGroupTargetAssignmentMetadata':
        return this.target.replay(record.value)
      case 'consumerGroupRegularExpression': {
        this.#forgetSubscriptions()
        const { regularExpression } = record.key
        if (record.value) this.resolved.set(regularExpression, record.value.topics)
        else this.resolved.delete(regularExpression)
        if (!record.value) this.#patterns.delete(regularExpression)
        return
      }
    }
  }

  #forgetSubscriptions(): void {
    this.#subscribedTopics = undefined
    this.#regexes = undefined
  }

  #member(memberId: string): ConsumerMember {
    let member = this.members.get(memberId)
    if (!member) this.members.set(memberId, (member = new ConsumerMember(memberId, this.#clock)))
    return member
  }

  #remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (!member) return
    member.cancelDeadlines()
    this.#disown(member)
    this.members.delete(memberId)
    this.#forgetInstance(member)
  }

  /** Another member may have taken its place already. */
  #forgetInstance({ memberId, instanceId }: ConsumerMember): void {
    if (instanceId !== null && this.staticMembers.get(instanceId) === memberId)
      this.staticMembers.delete(instanceId)
  }

  #disown({ memberId, current }: ConsumerMember): void {
    this.owners.remove(memberId, current.assigned)
    this.owners.remove(memberId, current.revoking)
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty'
    if (this.epoch > this.target.epoch) return 'Assigning'
    for (const member of this.members.values())
      if (!member.isReconciledTo(this.target.epoch)) return 'Reconciling'
    return 'Stable'
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  /** The member of this id. Throws UNKNOWN_MEMBER_ID. */
  member(memberId: string): ConsumerMember {
    const member = this.members.get(memberId)
    if (member) return member
    throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${this.groupId}.`)
  }

  /** The member of this group.instance.id, if there is one. */
  staticMember(instanceId: string): ConsumerMember | undefined {
    const memberId = this.staticMembers.get(instanceId)
    return memberId === undefined ? undefined : this.members.get(memberId)
  }

  /** The member that a request speaks for. Throws UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID for a replaced static member. */
  speaker(memberId: string, instanceId: string | null): ConsumerMember {
    if (instanceId === null) return this.member(memberId)
    const member = this.staticMember(instanceId)
    if (!member) throw new KafkaError('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
    if (member.memberId === memberId) return member
    throw new KafkaError(
      'FENCED_INSTANCE_ID',
      `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`,
    )
  }

  /** Everybody who speaks the classic protocol. */
  get classicMembers(): ConsumerMember[] {
    return [...this.members.values()].filter(({ isClassic }) => isClassic)
  }

  /** The topics that a member reads, be they there or not; by name, and by what its pattern stands for. */
  topicsOf({ metadata, regex }: ConsumerMember): readonly string[] {
    const matching = regex === undefined ? undefined : this.resolved.get(regex)
    return matching ? [...metadata.subscribedTopicNames, ...matching] : metadata.subscribedTopicNames
  }

  /** The topics that anybody reads. */
  get subscribedTopics(): ReadonlySet<string> {
    if (!this.#subscribedTopics) {
      const topics = new Set<string>()
      for (const { metadata } of this.members.values())
        for (const name of metadata.subscribedTopicNames) topics.add(name)
      for (const matching of this.resolved.values()) for (const name of matching) topics.add(name)
      this.#subscribedTopics = topics
    }
    return this.#subscribedTopics
  }

  /** The patterns that members subscribe to. */
  get regexes(): ReadonlySet<string> {
    if (!this.#regexes) {
      const regexes = new Set<string>()
      for (const { regex } of this.members.values()) if (regex !== undefined) regexes.add(regex)
      this.#regexes = regexes
    }
    return this.#regexes
  }

  /** A pattern, compiled once. Throws INVALID_REGULAR_EXPRESSION. */
  pattern(regex: string): TopicPattern {
    let pattern = this.#patterns.get(regex)
    if (!pattern) this.#patterns.set(regex, (pattern = new TopicPattern(regex)))
    return pattern
  }

  /** The assignor that most members ask for; `byDefault` where nobody asks. */
  assignorName(byDefault: string): string {
    const votes = new Map<string, number>()
    for (const { metadata } of this.members.values()) {
      const name = metadata.serverAssignor
      if (name !== null) votes.set(name, (votes.get(name) ?? 0) + 1)
    }
    let elected = byDefault
    for (const [name, count] of votes) if (count > (votes.get(elected) ?? 0)) elected = name
    return elected
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics.has(topic)
  }

  checkCommit(_turn: Turn, committer: Committer, caller: Caller, targets: readonly CommitTarget[]): void {
    checkConsumerCommit(this, committer, caller, targets)
  }

  checkFetch(memberId: string | null, memberEpoch: number): void {
    checkConsumerFetch(this, memberId, memberEpoch)
  }

  /** Topics that somebody reads are kept apart from this. */
  unusedSinceMs({ commitTimestamp }: OffsetCommitValue): bigint {
    return commitTimestamp
  }

  resume(turn: Turn): void {
    resumeConsumers(turn, this)
  }

  tombstones(): StateRecord[] {
    return [
      ...Array.from(this.members.keys(), memberId => memberTombstones(this.groupId, memberId)).flat(),
      ...Array.from(this.resolved.keys(), regex => resolvedRegex(this.groupId, regex, null)),
      ...groupTombstones(this.groupId),
    ]
  }

  /** Nobody waits in here. */
  dispose(_error: ErrorName): void {
    for (const member of this.members.values()) member.cancelDeadlines()
  }

  audit(): string[] {
    return auditConsumers(this)
  }

  durablePart(): string {
    return durableConsumers(this)
  }
}
