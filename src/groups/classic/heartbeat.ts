import { KafkaError } from '../../protocol/errors.ts'
import type { HeartbeatRequest } from '../../protocol/messages/12-heartbeat.ts'
import type { Turn } from '../turn.ts'
import { keepAlive } from './rebalance.ts'

/** Decides a Heartbeat: the member lives on, and hears of a rebalance by REBALANCE_IN_PROGRESS. */
export function heartbeat(turn: Turn, request: HeartbeatRequest): void {
  if (request.groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  const group = turn.state.classic(request.groupId)
  if (!group) throw new KafkaError('UNKNOWN_MEMBER_ID')
  const member = group.member(request.memberId, request.groupInstanceId)
  if (request.generationId !== group.generationId) throw new KafkaError('ILLEGAL_GENERATION')
  keepAlive(turn, group, member)
  if (group.state === 'PreparingRebalance') throw new KafkaError('REBALANCE_IN_PROGRESS')
}
