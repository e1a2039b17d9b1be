import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { Deadline } from '../../coordination/deadline.ts'
import type { StateRecord } from '../../coordination/state-topic.ts'
import { KafkaError, type ErrorName } from '../../protocol/errors.ts'
import type {
  GroupMetadataValue,
  OffsetCommitValue,
} from '../../protocol/messages/consumer-offsets-records.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { Committer, Group } from '../group.ts'
import { groupMetadata } from '../records.ts'
import type { Turn } from '../turn.ts'
import { auditClassic, durableClassic } from './audit.ts'
import { checkClassicCommit } from './check-commit.ts'
import { ClassicMember, noBytes } from './member.ts'
import { resumeClassic } from './resume.ts'
import { topicsOf } from './subscription.ts'

/** Kafka's names, as DescribeGroups shows them. Its fifth, Dead, is a group that is not there. */
export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** The protocol type of consumers; others (Connect's "connect") have their own. */
export const consumerProtocolType = 'consumer'

/**
 * A classic group (ClassicGroup). Its durable part is what a GroupMetadata record says and changes by `replay` alone;
 * rebalances under way, parked requests and deadlines are soft: a restart forgets them and the members join again.
 */
export class ClassicGroup implements Group {
  readonly type = 'classic'
  readonly groupId: string
  readonly #clock: Clock
  state: ClassicState = 'Empty'
  generationId = 0
  protocolType: string | undefined
  protocolName: string | undefined
  leaderId: string | undefined
  /** In the order in which they came. */
  readonly members = new Map<string, ClassicMember>()
  /** Member ids by group.instance.id. */
  readonly staticMembers = new Map<string, string>()
  /** Members that were given an id and have not joined with it yet; each until its deadline (KIP-394). */
  readonly pendingJoins = new Map<string, Deadline>()
  /** Members of this generation that have not sent SyncGroup. */
  readonly pendingSyncs = new Set<string>()
  /** PreparingRebalance from Empty: it lasts its time even when all have joined. */
  isInitialRebalance = false
  /** Somebody came during the initial rebalance, which is then prolonged. */
  hasNewMember = false
  readonly joinDeadline: Deadline
  readonly syncDeadline: Deadline
  /** The topics that a consumer group reads; undefined where nobody can tell. */
  subscribedTopics: ReadonlySet<string> | undefined
  /** When the group came to the state that the log has; -1 where records of old do not say. */
  stateTimestampMs = -1n

  constructor(groupId: string, clock: Clock) {
    this.groupId = groupId
    this.#clock = clock
    this.joinDeadline = new Deadline(clock)
    this.syncDeadline = new Deadline(clock)
  }

  /** Becomes what the record says. Members that are here already keep what is soft about them. */
  replay(value: GroupMetadataValue): void {
    this.generationId = value.generation
    this.stateTimestampMs = value.currentStateTimestamp
    this.protocolType = value.protocolType || undefined
    this.protocolName = value.protocol ?? undefined
    const written = new Set(value.members.map(({ memberId }) => memberId))
    for (const memberId of this.members.keys()) if (!written.has(memberId)) this.remove(memberId)
    for (const facts of value.members) {
      let member = this.members.get(facts.memberId)
      if (!member) {
        member = new ClassicMember(
          {
            memberId: facts.memberId,
            groupInstanceId: facts.groupInstanceId,
            clientId: facts.clientId,
            clientHost: facts.clientHost,
            rebalanceTimeoutMs: facts.rebalanceTimeout === -1 ? facts.sessionTimeout : facts.rebalanceTimeout,
            sessionTimeoutMs: facts.sessionTimeout,
            protocols: [{ name: value.protocol ?? '', metadata: Buffer.from(facts.subscription) }],
          },
          this.#clock,
        )
        this.add(member, value.protocolType)
      }
      member.assignment = Buffer.from(facts.assignment)
    }
    this.leaderId = value.leader ?? undefined
    this.state = this.members.size > 0 ? 'Stable' : 'Empty'
    this.isInitialRebalance = false
    this.subscribedTopics = this.#readSubscriptions()
  }

  /** The group as a record at its present generation, with `assignments` by member id; absent ones are empty. */
  record(nowMs: number, assignments: ReadonlyMap<string, Buffer>): Draft<typeof GroupMetadataValue> {
    return {
      protocolType: this.protocolType ?? '',
      generation: this.generationId,
      protocol: this.protocolName ?? null,
      leader: this.leaderId ?? null,
      currentStateTimestamp: BigInt(nowMs),
      members: Array.from(this.members.values(), member => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.metadata(this.protocolName ?? ''),
        assignment: assignments.get(member.memberId) ?? noBytes,
      })),
    }
  }

  /** Adds a member that was accepted. The first one leads, and decides the protocol type. */
  add(member: ClassicMember, protocolType: string): void {
    assert(!this.members.has(member.memberId), 'a member that is there already was added')
    if (member.groupInstanceId !== null) {
      assert(!this.staticMembers.has(member.groupInstanceId), 'a static member was added twice')
      this.staticMembers.set(member.groupInstanceId, member.memberId)
    }
    if (this.members.size === 0) this.protocolType = protocolType
    this.leaderId ??= member.memberId
    this.members.set(member.memberId, member)
    this.removePending(member.memberId)
  }

  /** Takes a member out and gives it back, so that what it waits for can be answered. */
  remove(memberId: string): ClassicMember | undefined {
    this.removePending(memberId)
    this.pendingSyncs.delete(memberId)
    const member = this.members.get(memberId)
    if (!member) return undefined
    member.session.cancel()
    this.members.delete(memberId)
    if (member.groupInstanceId !== null) this.staticMembers.delete(member.groupInstanceId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value
    return member
  }

  /** Puts `member` in the place of the one with the same group.instance.id, and gives that one back (KIP-345). */
  replaceStatic(oldMemberId: string, member: ClassicMember): ClassicMember {
    const old = this.members.get(oldMemberId)
    assert(old !== undefined, 'a static member that is not there was replaced')
    assert(old.groupInstanceId === member.groupInstanceId, 'a static member took the place of another one')
    old.session.cancel()
    member.assignment = old.assignment
    this.members.delete(oldMemberId)
    this.members.set(member.memberId, member)
    this.staticMembers.set(member.groupInstanceId!, member.memberId)
    if (this.pendingSyncs.delete(oldMemberId)) this.pendingSyncs.add(member.memberId)
    if (this.leaderId === oldMemberId) this.leaderId = member.memberId
    return old
  }

  removePending(memberId: string): boolean {
    this.pendingJoins.get(memberId)?.cancel()
    return this.pendingJoins.delete(memberId)
  }

  dispose(error: ErrorName): void {
    this.joinDeadline.cancel()
    this.syncDeadline.cancel()
    for (const deadline of this.pendingJoins.values()) deadline.cancel()
    for (const member of this.members.values()) {
      member.session.cancel()
      member.takeJoin()?.refuse(error)
      member.takeSync()?.refuse(error)
    }
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  get awaitingJoinCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.parkedJoin) count++
    return count
  }

  get haveAllJoined(): boolean {
    if (this.pendingJoins.size > 0) return false
    for (const member of this.members.values()) if (!member.parkedJoin) return false
    return true
  }

  /** How long the slowest member may take to come to a rebalance. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const member of this.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
    return longest
  }

  /** Whether a member that speaks `protocols` can be one of this group: every other member knows one of them too. */
  supports(protocolType: string, protocols: readonly { readonly name: string }[]): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0
    const common = this.#commonProtocols
    return this.protocolType === protocolType && protocols.some(({ name }) => common.has(name))
  }

  /** The protocol that most members like best among those that all know (the earliest voter's wins a tie). */
  electProtocol(): string {
    const common = this.#commonProtocols
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const choice = member.protocols.find(({ name }) => common.has(name))
      assert(choice !== undefined, 'a member without a protocol in common was accepted')
      votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    let elected: string | undefined
    for (const [name, count] of votes)
      if (elected === undefined || count > votes.get(elected)!) elected = name
    assert(elected !== undefined, 'a protocol was elected in an empty group')
    return elected
  }

  /** The protocols that all members know. */
  get #commonProtocols(): ReadonlySet<string> {
    const [first, ...others] = this.members.values()
    const common = new Set(first?.protocols.map(({ name }) => name))
    for (const member of others) for (const name of common) if (!member.supports(name)) common.delete(name)
    return common
  }

  /** Makes sure that the leader is one who has joined. False when nobody has. */
  electJoinedLeader(): boolean {
    if (this.leaderId !== undefined && this.members.get(this.leaderId)?.parkedJoin) return true
    for (const member of this.members.values()) {
      if (member.parkedJoin) {
        this.leaderId = member.memberId
        return true
      }
    }
    return false
  }

  /** The member that a request speaks for. Throws UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID for a replaced static member. */
  member(memberId: string, groupInstanceId: string | null): ClassicMember {
    if (groupInstanceId !== null) {
      const current = this.staticMembers.get(groupInstanceId)
      if (current === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID')
      if (current !== memberId) throw new KafkaError('FENCED_INSTANCE_ID')
    }
    const member = this.members.get(memberId)
    if (!member) throw new KafkaError('UNKNOWN_MEMBER_ID')
    return member
  }

  /** What every member tells the leader, under the elected protocol. */
  get roster(): { memberId: string; groupInstanceId: string | null; metadata: Buffer }[] {
    return Array.from(this.members.values(), member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: member.metadata(this.protocolName ?? ''),
    }))
  }

  /** Goes on to the next generation with the members that are here, who then wait for their assignments. */
  beginGeneration(): void {
    this.generationId++
    this.protocolName = this.electProtocol()
    this.subscribedTopics = this.#readSubscriptions()
    this.state = 'CompletingRebalance'
    this.isInitialRebalance = false
    this.pendingSyncs.clear()
    for (const memberId of this.members.keys()) this.pendingSyncs.add(memberId)
  }

  #readSubscriptions(): Set<string> | undefined {
    if (this.protocolType !== consumerProtocolType) return undefined
    const subscribed = new Set<string>()
    for (const { metadata } of this.roster) {
      const topics = topicsOf(metadata)
      if (!topics) return undefined
      for (const topic of topics) subscribed.add(topic)
    }
    return subscribed
  }

  get isEmpty(): boolean {
    return this.state === 'Empty'
  }

  checkCommit(turn: Turn, committer: Committer): void {
    checkClassicCommit(turn, this, committer)
  }

  /** Kafka asks classic members for nothing. */
  checkFetch(): void {}

  /**
   * Since the group became empty, for consumers and others; of a group of consumers that is stable, and of a simple group, since
   * the offset was committed (ClassicGroup.offsetExpirationCondition).
   */
  unusedSinceMs({ commitTimestamp }: OffsetCommitValue): bigint | undefined {
    if (this.protocolType === undefined) return commitTimestamp
    if (this.state === 'Empty') return this.stateTimestampMs === -1n ? commitTimestamp : this.stateTimestampMs
    return this.state === 'Stable' && this.subscribedTopics !== undefined ? commitTimestamp : undefined
  }

  /** Nobody was ever a member: it is there for its offsets' sake. */
  get isSimple(): boolean {
    return this.state === 'Empty' && this.protocolType === undefined && this.pendingJoins.size === 0
  }

  resume(turn: Turn): void {
    resumeClassic(turn, this)
  }

  tombstones(): StateRecord[] {
    return [groupMetadata(this.groupId, null)]
  }

  audit(): string[] {
    return auditClassic(this)
  }

  durablePart(): string | undefined {
    return durableClassic(this)
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? this.protocolType === consumerProtocolType
  }
}
