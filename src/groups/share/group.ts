import type { Clock } from '../../base/clock.ts'
import type { StateRecord } from '../../coordination/state-topic.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { OffsetCommitValue } from '../../protocol/messages/consumer-offsets-records.ts'
import type { Group } from '../group.ts'
import { metadataHash } from '../modern/topic-metadata.ts'
import { initialEpoch, TargetAssignment } from '../modern/target-assignment.ts'
import { listed } from '../modern/topic-partitions.ts'
import { groupRecord, type CoordinatorRecord } from '../records.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { Turn } from '../turn.ts'
import { ShareMember } from './member.ts'
import { keepAlive } from './membership.ts'

/** A topic that a group has offsets in, and the partitions of it. */
export interface InitializedTopic {
  readonly topicId: string
  readonly topicName: string
  readonly partitions: readonly number[]
}

/** The records that say what a share group is; `key.groupId` names it. */
export type ShareGroupRecord = Extract<CoordinatorRecord, { readonly type: `shareGroup${string}` }>

export function isShareGroupRecord(record: CoordinatorRecord): record is ShareGroupRecord {
  return record.type.startsWith('shareGroup')
}

/**
 * A share group (KIP-932, ShareGroup): its members, and which partitions each of them reads. Everything about it is durable but
 * the members' sessions, and changes by `replay` alone.
 */
export class ShareGroup implements Group {
  readonly type = 'share'
  readonly protocolType = 'share'
  readonly groupId: string
  readonly #clock: Clock
  /** Rises with every change of members, subscriptions or topics. */
  epoch = initialEpoch
  /** Of the topics that it reads, as they were when the epoch last rose. */
  metadataHash = 0n
  readonly target = new TargetAssignment()
  readonly members = new Map<string, ShareMember>()
  /** Where it has offsets, by topic id. */
  readonly initialized = new Map<string, InitializedTopic>()
  /** The names of topics, by id, in which it is to have none any more: the share coordinator may still know of some. */
  readonly deleting = new Map<string, string>()

  /** Worked out anew when members or topics have changed. */
  #subscribed: ReadonlySet<string> | undefined
  #reads: { readonly names: ReadonlySet<string>; readonly version: number; readonly hash: bigint } | undefined

  constructor(groupId: string, clock: Clock) {
    this.groupId = groupId
    this.#clock = clock
  }

  /** Becomes what a record says. */
  replay(record: ShareGroupRecord): void {
    switch (record.type) {
      case 'shareGroupMetadata':
        if (record.value)
          Object.assign(this, { epoch: record.value.epoch, metadataHash: record.value.metadataHash })
        return
      case 'shareGroupMemberMetadata':
        this.#subscribed = undefined
        if (record.value) this.#member(record.key.memberId).replay(record.value)
        else this.#remove(record.key.memberId)
        return
      case 'shareGroupTargetAssignmentMetadata':
        this.target.replay(record.value)
        return
      case 'shareGroupTargetAssignmentMember':
        this.target.replayMember(record.key.memberId, record.value)
        return
      case 'shareGroupCurrentMemberAssignment':
        // Its tombstone comes with that of the member.
        if (record.value) this.#member(record.key.memberId).replayAssignment(record.value)
        return
      case 'shareGroupStatePartitionMetadata':
        this.initialized.clear()
        for (const topic of record.value?.initializedTopics ?? []) this.initialized.set(topic.topicId, topic)
        this.deleting.clear()
        for (const { topicId, topicName } of record.value?.deletingTopics ?? [])
          this.deleting.set(topicId, topicName)
    }
  }

  #member(memberId: string): ShareMember {
    let member = this.members.get(memberId)
    if (!member) this.members.set(memberId, (member = new ShareMember(memberId, this.#clock)))
    return member
  }

  #remove(memberId: string): void {
    this.members.get(memberId)?.session.cancel()
    this.members.delete(memberId)
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  get state(): string {
    return this.isEmpty ? 'Empty' : 'Stable'
  }

  /** The names of the topics that anybody reads. */
  get subscribedTopicNames(): ReadonlySet<string> {
    if (!this.#subscribed) {
      const names = new Set<string>()
      for (const member of this.members.values())
        for (const name of member.subscribedTopicNames) names.add(name)
      this.#subscribed = names
    }
    return this.#subscribed
  }

  /** What `metadataHash` would be now. */
  readsNow(lookup: TopicLookup): bigint {
    const names = this.subscribedTopicNames
    if (this.#reads?.names !== names || this.#reads.version !== lookup.version) {
      this.#reads = { names, version: lookup.version, hash: metadataHash(names, lookup) }
    }
    return this.#reads.hash
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopicNames.has(topic)
  }

  /** What share groups have read is not committed as offsets. */
  checkCommit(): never {
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${this.groupId} is a share group.`)
  }

  /** There are none to fetch either. */
  checkFetch(): void {}

  /** Offsets that it has nevertheless were those of another group of this id. */
  unusedSinceMs({ commitTimestamp }: OffsetCommitValue): bigint {
    return commitTimestamp
  }

  resume(turn: Turn): void {
    for (const member of this.members.values()) keepAlive(turn, this, member)
  }

  tombstones(): StateRecord[] {
    const { groupId } = this
    return [
      groupRecord('shareGroupTargetAssignmentMetadata', { groupId }, null),
      groupRecord('shareGroupStatePartitionMetadata', { groupId }, null),
      groupRecord('shareGroupMetadata', { groupId }, null),
    ]
  }

  dispose(): void {
    for (const member of this.members.values()) member.session.cancel()
  }

  audit(): string[] {
    const problems: string[] = []
    const claim = (isSound: boolean, problem: string): void => {
      if (!isSound) problems.push(`group ${this.groupId}: ${problem}`)
    }
    claim(this.target.epoch <= this.epoch, 'its target is ahead of it')
    for (const memberId of this.target.memberIds())
      claim(this.members.has(memberId), `${memberId} is to read and not there`)
    for (const { memberId, memberEpoch } of this.members.values())
      claim(memberEpoch <= this.epoch, `${memberId} is ahead of it`)
    return problems
  }

  durablePart(): string {
    const members = Array.from(this.members.values(), member => [
      member.memberId,
      member.memberEpoch,
      member.previousMemberEpoch,
      member.subscribedTopicNames,
      listed(member.assigned),
      listed(this.target.of(member.memberId)),
    ])
    const initialized = [...this.initialized.values()]
    return JSON.stringify([this.epoch, this.target.epoch, members.sort(), initialized, [...this.deleting]])
  }
}
