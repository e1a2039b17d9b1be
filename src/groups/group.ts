import type { StateRecord } from '../coordination/state-topic.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { OffsetCommitRequest } from '../protocol/messages/08-offset-commit.ts'
import type { OffsetCommitValue } from '../protocol/messages/consumer-offsets-records.ts'
import type { Caller } from './caller.ts'
import type { Turn } from './turn.ts'

/** Kafka's group types, as ListGroups spells them in lower case. */
export type GroupType = 'classic' | 'consumer' | 'share' | 'streams'

/** Who commits: the part of an OffsetCommit or TxnOffsetCommit that says it. */
export interface Committer extends Pick<
  OffsetCommitRequest,
  'groupId' | 'memberId' | 'groupInstanceId' | 'generationIdOrMemberEpoch'
> {
  /** In a transaction, whose producer's epoch says as much as a generation. */
  readonly isTransactional?: boolean
}

/**
 * Whether somebody commits in a transaction and names no member, as clients of old cannot: the producer's epoch is enough then
 * (validateOffsetCommit of each of Kafka's groups).
 */
export function isNameless(committer: Committer): boolean {
  const { isTransactional, memberId, groupInstanceId, generationIdOrMemberEpoch } = committer
  return (
    isTransactional === true && generationIdOrMemberEpoch < 0 && memberId === '' && groupInstanceId === null
  )
}

/** A partition that somebody wants to commit an offset of. */
export interface CommitTarget {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

/** What every group answers to, whatever protocol its members speak. */
export interface Group {
  readonly type: GroupType
  readonly groupId: string
  /** As DescribeGroups and ListGroups show it. */
  readonly state: string
  readonly protocolType: string | undefined
  /** Nobody is in it. */
  readonly isEmpty: boolean
  /** Whether offsets of `topic` are in use, so that they may not be deleted. Where nobody can tell, they are. */
  isSubscribedTo(topic: string): boolean
  /** Throws a KafkaError unless offsets of `targets` may be committed so; a member that commits is alive. */
  checkCommit(turn: Turn, committer: Committer, caller: Caller, targets: readonly CommitTarget[]): void
  /** Throws a KafkaError unless a member (null: an operator) may read the group's offsets, as OffsetFetch asks from version 9 on. */
  checkFetch(memberId: string | null, memberEpoch: number): void
  /** Since when an offset is not in use, in milliseconds: its retention goes from there. Undefined while it is. */
  unusedSinceMs(offset: OffsetCommitValue): bigint | undefined
  /** After the log was read: deadlines begin, and what was left half done goes on. */
  resume(turn: Turn): void
  /** The records that remove the group, its offsets aside. */
  tombstones(): StateRecord[]
  /** Ends whatever waits in this group or for it. The group is not used any more. */
  dispose(error: ErrorName): void
  /** What is unsound in it, in words. */
  audit(): string[]
  /** What a restart would not change, in words; undefined while the log is still behind. */
  durablePart(): string | undefined
}

/** What a group without members and history is to an audit: one that is not there. */
export const nothingDurable = 'without members'
