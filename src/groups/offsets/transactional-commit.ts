import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import type { TxnOffsetCommitRequest } from '../../protocol/messages/28-txn-offset-commit.ts'
import type { Caller } from '../caller.ts'
import { offsetCommit } from '../records.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { Turn } from '../turn.ts'
import { targetOf, type Commit, type CommitPlan } from './commit.ts'

/** Finds out which of the partitions are there: offsets of others are not kept. */
export function planTransactionalCommits(request: TxnOffsetCommitRequest, lookup: TopicLookup): CommitPlan {
  const plan: CommitPlan = { topics: [], commits: [] }
  for (const { name, partitions } of request.topics) {
    const topicId = lookup.topicId(name)
    const partitionCount = lookup.partitionCount(name) ?? 0
    const results = partitions.map(asked => {
      const { partitionIndex } = asked
      const result = { partitionIndex, errorCode: errorCodes.NONE as number }
      if (topicId === undefined || !(partitionIndex >= 0 && partitionIndex < partitionCount)) {
        result.errorCode = errorCodes.UNKNOWN_TOPIC_OR_PARTITION
      } else plan.commits.push({ topic: name, topicId, asked, result })
      return result
    })
    plan.topics.push({ name, topicId: topicId ?? '', partitions: results })
  }
  return plan
}

/**
 * Decides a TxnOffsetCommit: offsets that count once the producer's transaction is committed. That the transaction is under way is
 * the caller's to see to.
 */
export function commitInTransaction(
  turn: Turn,
  request: TxnOffsetCommitRequest,
  caller: Caller,
  commits: readonly Commit[],
): void {
  checkCommitter(turn, request, caller, commits)
  turn.writeFor({ producerId: request.producerId, producerEpoch: request.producerEpoch })
  const { offsetMetadataMaxBytes } = turn.environment.settings
  for (const { topic, topicId, asked, result } of commits) {
    const metadata = asked.committedMetadata ?? ''
    if (metadata.length > offsetMetadataMaxBytes) {
      result.errorCode = errorCodes.OFFSET_METADATA_TOO_LARGE
      continue
    }
    const key = { group: request.groupId, topic, partition: asked.partitionIndex }
    const value = {
      offset: asked.committedOffset,
      leaderEpoch: asked.committedLeaderEpoch,
      metadata,
      commitTimestamp: BigInt(turn.nowMs),
      expireTimestamp: -1n,
      topicId,
    }
    turn.write(offsetCommit(key, value))
  }
}

/** As for any commit, but whoever names no member is believed, for clients of old cannot name one (OffsetMetadataManager). */
function checkCommitter(
  turn: Turn,
  request: TxnOffsetCommitRequest,
  caller: Caller,
  commits: readonly Commit[],
): void {
  const { groupId, memberId, groupInstanceId, generationId } = request
  const group = turn.state.groups.get(groupId)
  if (!group) {
    if (generationId < 0) return
    throw new KafkaError('ILLEGAL_GENERATION')
  }
  const committer = { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId }
  try {
    group.checkCommit(turn, { ...committer, isTransactional: true }, caller, commits.map(targetOf))
  } catch (error) {
    const isStale = error instanceof KafkaError && error.error === 'STALE_MEMBER_EPOCH'
    throw isStale ? new KafkaError('ILLEGAL_GENERATION') : error
  }
}
