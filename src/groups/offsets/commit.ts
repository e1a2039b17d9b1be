import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import type { OffsetCommitRequest } from '../../protocol/messages/08-offset-commit.ts'
import type { Caller } from '../caller.ts'
import type { Committer, CommitTarget } from '../group.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { Turn } from '../turn.ts'
import { keepOffsets, type NewCommit } from './keep.ts'

/** From version 10 on topics go by their ids (KIP-848). */
export const topicIdsVersion = 10

/** From version 9 on a group that is not there is named as such (KIP-848). */
const groupNotFoundVersion = 9

type RequestTopic = OffsetCommitRequest['topics'][number]
type RequestPartition = RequestTopic['partitions'][number]

/** An offset to commit, and the place in the answer for what becomes of it. */
export interface Commit {
  readonly topic: string
  readonly topicId: string
  readonly asked: Pick<
    RequestPartition,
    'partitionIndex' | 'committedOffset' | 'committedLeaderEpoch' | 'committedMetadata'
  >
  readonly result: { readonly partitionIndex: number; errorCode: number }
}

/** The answer's topics, in the request's order, and those of its partitions that exist. */
export interface CommitPlan {
  readonly topics: {
    name: string
    topicId: string
    partitions: { partitionIndex: number; errorCode: number }[]
  }[]
  readonly commits: Commit[]
}

/** Finds out which of the partitions are there: offsets of others are not kept. */
export function planCommits(request: OffsetCommitRequest, lookup: TopicLookup, version: number): CommitPlan {
  const plan: CommitPlan = { topics: [], commits: [] }
  for (const asked of request.topics) {
    const name = version >= topicIdsVersion ? lookup.topicName(asked.topicId) : asked.name
    const topicId = name === undefined ? undefined : lookup.topicId(name)
    const partitionCount = name === undefined ? undefined : lookup.partitionCount(name)
    const partitions = asked.partitions.map(partition => {
      const { partitionIndex } = partition
      const result = { partitionIndex, errorCode: 0 }
      if (name === undefined) result.errorCode = errorCodes.UNKNOWN_TOPIC_ID
      else if (topicId === undefined || !(partitionIndex >= 0 && partitionIndex < (partitionCount ?? 0))) {
        result.errorCode = errorCodes.UNKNOWN_TOPIC_OR_PARTITION
      } else plan.commits.push({ topic: name, topicId, asked: partition, result })
      return result
    })
    plan.topics.push({ name: asked.name, topicId: asked.topicId, partitions })
  }
  return plan
}

/** Decides an OffsetCommit: all of its offsets are in one append, so that they are kept together or not at all. */
export function commitOffsets(
  turn: Turn,
  request: OffsetCommitRequest,
  caller: Caller,
  commits: readonly Commit[],
): void {
  checkCommitter(turn, request, caller, commits.map(targetOf))
  const commitTimestamp = BigInt(turn.nowMs)
  const expireTimestamp = expiry(commitTimestamp, request.retentionTimeMs)
  const accepted: NewCommit[] = []
  const { offsetMetadataMaxBytes } = turn.environment.settings
  for (const { topic, topicId, asked, result } of commits) {
    const metadata = asked.committedMetadata ?? ''
    if (metadata.length > offsetMetadataMaxBytes) {
      result.errorCode = errorCodes.OFFSET_METADATA_TOO_LARGE
      continue
    }
    const value = {
      offset: asked.committedOffset,
      leaderEpoch: asked.committedLeaderEpoch,
      metadata,
      commitTimestamp,
      expireTimestamp,
      topicId,
    }
    accepted.push({ topic, partition: asked.partitionIndex, value, result })
  }
  keepOffsets(turn, request.groupId, accepted, { commitTimestamp, expireTimestamp })
}

/** The partition of a commit. */
export function targetOf({
  topic,
  topicId,
  asked,
}: Pick<Commit, 'topic' | 'topicId'> & { asked: { partitionIndex: number } }): CommitTarget {
  return { topic, topicId, partition: asked.partitionIndex }
}

/** Where there is no group, anybody may commit who claims to be no member. */
function checkCommitter(
  turn: Turn,
  committer: Committer,
  caller: Caller,
  targets: readonly CommitTarget[],
): void {
  const group = turn.state.groups.get(committer.groupId)
  if (group) return group.checkCommit(turn, committer, caller, targets)
  if (committer.generationIdOrMemberEpoch < 0) return
  throw new KafkaError(caller.version >= groupNotFoundVersion ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION')
}

/** Versions 2 to 4 may ask for a retention of their own; it has to fit into the record whatever it is. */
function expiry(commitTimestamp: bigint, retentionTimeMs: bigint): bigint {
  return retentionTimeMs === -1n ? -1n : BigInt.asIntN(64, commitTimestamp + retentionTimeMs)
}
