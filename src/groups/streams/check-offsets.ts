import { KafkaError } from '../../protocol/errors.ts'
import type { Caller } from '../caller.ts'
import { isNameless, type Committer, type CommitTarget } from '../group.ts'
import type { StreamsGroup } from './group.ts'
import type { StreamsMember } from './member.ts'
import { taskId } from './tasks.ts'
import { readerOf } from './topology.ts'

/** The first version of OffsetCommit that knows the answers which a member of a newer group needs (KIP-848). */
const memberEpochVersion = 9

/**
 * Members commit with their epoch. One that has not heard of its present epoch yet may still commit what it has had since
 * before (StreamsGroup.validateOffsetCommit). Whoever is no member may while the group has none.
 */
export function checkStreamsCommit(
  group: StreamsGroup,
  committer: Committer,
  { version }: Caller,
  targets: readonly CommitTarget[],
): void {
  const { memberId, generationIdOrMemberEpoch: epoch, isTransactional } = committer
  if ((epoch < 0 && group.isEmpty) || isNameless(committer)) return
  const member = memberOf(group, memberId)
  if (!isTransactional && version < memberEpochVersion) {
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      'OffsetCommit version 9 or above must be used by members using the streams group protocol',
    )
  }
  if (epoch === member.memberEpoch) return
  if (epoch > member.memberEpoch) {
    throw new KafkaError(
      'STALE_MEMBER_EPOCH',
      `Received member epoch ${epoch} is newer than current member epoch ${member.memberEpoch}.`,
    )
  }
  for (const target of targets) checkTask(group, member, epoch, target)
}

/** It has to have run the task in the epoch that it commits with. */
function checkTask(
  { topology }: StreamsGroup,
  { assigned, pendingRevocation }: StreamsMember,
  epoch: number,
  { topic, partition }: CommitTarget,
): void {
  const reader = topology && readerOf(topology, topic)
  if (!reader) throw new KafkaError('STALE_MEMBER_EPOCH', `Topic ${topic} is not in the topology.`)
  const task = taskId(reader.subtopologyId, partition)
  const since = assigned.active.get(task) ?? pendingRevocation.active.get(task)
  if (since === undefined) {
    throw new KafkaError(
      'STALE_MEMBER_EPOCH',
      `Task ${task} is not assigned or pending revocation for member.`,
    )
  }
  if (epoch < since) {
    throw new KafkaError(
      'STALE_MEMBER_EPOCH',
      `Received member epoch ${epoch} is older than assignment epoch ${since} for task ${task}.`,
    )
  }
}

/** Members read offsets with their epoch, operators (null) without. */
export function checkStreamsFetch(group: StreamsGroup, memberId: string | null, epoch: number): void {
  if (memberId === null && epoch < 0) return
  const { memberEpoch } = memberOf(group, memberId ?? '')
  if (epoch === memberEpoch) return
  throw new KafkaError(
    'STALE_MEMBER_EPOCH',
    `The received member epoch ${epoch} does not match the expected member epoch ${memberEpoch}.`,
  )
}

/** Throws UNKNOWN_MEMBER_ID. */
export function memberOf({ groupId, members }: StreamsGroup, memberId: string): StreamsMember {
  const member = members.get(memberId)
  if (member) return member
  throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${groupId}.`)
}
