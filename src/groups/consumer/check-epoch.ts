import { KafkaError } from '../../protocol/errors.ts'
import type { Caller } from '../caller.ts'
import { isNameless, type Committer, type CommitTarget } from '../group.ts'
import type { ConsumerGroup } from './group.ts'
import type { ConsumerMember } from './member.ts'
import { epochOf } from './partition-epochs.ts'

/** From version 9 on an OffsetCommit carries a member epoch (KIP-848). */
const memberEpochVersion = 9

/**
 * A member commits at its epoch. At an older one it may commit what it had at that epoch already, since its commit may have been
 * under way while it moved on (KIP-1251). Whoever is no member commits while nobody is (ConsumerGroup.validateOffsetCommit).
 */
export function checkConsumerCommit(
  group: ConsumerGroup,
  committer: Committer,
  { version }: Caller,
  targets: readonly CommitTarget[],
): void {
  const { memberId, generationIdOrMemberEpoch: epoch, isTransactional } = committer
  if ((epoch < 0 && group.isEmpty) || isNameless(committer)) return
  const member = group.member(memberId)
  if (!isTransactional && !member.isClassic && version < memberEpochVersion) {
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      'OffsetCommit version 9 or above must be used by members using the consumer group protocol',
    )
  }
  const { memberEpoch } = member.current
  if (epoch === memberEpoch) return
  if (epoch > memberEpoch) throw stale(member, `Epoch ${epoch} is newer than the member's, ${memberEpoch}.`)
  for (const { topic, topicId, partition } of targets) {
    const { assigned, revoking } = member.current
    const since = epochOf(assigned, topicId, partition) ?? epochOf(revoking, topicId, partition)
    if (since === undefined) throw stale(member, `Partition ${topic}-${partition} is not the member's.`)
    if (epoch < since)
      throw stale(member, `Partition ${topic}-${partition} is the member's since epoch ${since}.`)
  }
}

/** A member fetches offsets at its epoch, an operator at none. */
export function checkConsumerFetch(group: ConsumerGroup, memberId: string | null, epoch: number): void {
  if (memberId === null && epoch < 0) return
  const member = group.member(memberId ?? '')
  const { memberEpoch } = member.current
  if (epoch !== memberEpoch) throw stale(member, `Epoch ${epoch} is not the member's, ${memberEpoch}.`)
}

function stale(member: ConsumerMember, message: string): KafkaError {
  return new KafkaError(member.isClassic ? 'ILLEGAL_GENERATION' : 'STALE_MEMBER_EPOCH', message)
}
