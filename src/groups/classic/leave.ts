import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import type { Turn } from '../turn.ts'
import type { ClassicGroup } from './group.ts'
import { completeJoinIfAllJoined, dismiss, prepareRebalance } from './rebalance.ts'

/** Who is to leave: by member id, or, as an operator does it, by group.instance.id alone (KIP-345). */
export interface Leaver {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly reason: string | null
}

export interface LeaveResult {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly errorCode: number
}

/** Decides a LeaveGroup: each member's result, in order; one rebalance for all who left. */
export function leave(turn: Turn, groupId: string, leavers: readonly Leaver[]): LeaveResult[] {
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  const group = turn.state.classic(groupId)
  const results = leavers.map(leaver => ({
    memberId: leaver.memberId,
    groupInstanceId: leaver.groupInstanceId,
    errorCode: group ? leaveOne(turn, group, leaver) : errorCodes.UNKNOWN_MEMBER_ID,
  }))
  if (!group || results.every(({ errorCode }) => errorCode !== 0)) return results
  if (group.state === 'PreparingRebalance') completeJoinIfAllJoined(turn, group)
  else if (group.state !== 'Empty') prepareRebalance(turn, group, reasonOf(leavers))
  return results
}

function leaveOne(turn: Turn, group: ClassicGroup, { memberId, groupInstanceId }: Leaver): number {
  if (memberId !== '' && group.removePending(memberId)) return 0
  const staticId = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
  try {
    const leaving = memberId === '' && staticId !== undefined ? staticId : memberId
    dismiss(turn, group, group.member(leaving, groupInstanceId).memberId, 'UNKNOWN_MEMBER_ID')
    return 0
  } catch (error) {
    if (error instanceof KafkaError) return error.code
    throw error
  }
}

function reasonOf(leavers: readonly Leaver[]): string {
  return leavers
    .map(
      ({ memberId, groupInstanceId, reason }) =>
        `${memberId || groupInstanceId} leaves (${reason || 'no reason given'})`,
    )
    .join(', ')
}
