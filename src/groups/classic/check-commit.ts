import { KafkaError } from '../../protocol/errors.ts'
import { isNameless, type Committer } from '../group.ts'
import type { Turn } from '../turn.ts'
import type { ClassicGroup } from './group.ts'
import { keepAlive } from './rebalance.ts'

/**
 * Members commit for their generation; whoever is not one (an operator, or a consumer that assigns partitions to
 * itself) only while the group has no members. A commit also says that the member is alive. In a transaction, whoever names no member
 * is believed, and rebalances do not matter (ClassicGroup.validateOffsetCommit).
 */
export function checkClassicCommit(turn: Turn, group: ClassicGroup, committer: Committer): void {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId, isTransactional } = committer
  if ((generationId < 0 && group.state === 'Empty') || isNameless(committer)) return
  const member = group.member(memberId, groupInstanceId)
  if (generationId !== group.generationId) throw new KafkaError('ILLEGAL_GENERATION')
  if (group.state === 'CompletingRebalance' && !isTransactional) throw new KafkaError('REBALANCE_IN_PROGRESS')
  keepAlive(turn, group, member)
}
