import type { StateRecord } from '../coordination/state-topic.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { OffsetCommitRequest } from '../protocol/messages/08-offset-commit.ts'
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
  /** Throws a KafkaError unless offsets may be committed so; a member that commits is alive. */
  checkCommit(turn: Turn, committer: Committer, caller: Caller): void
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
