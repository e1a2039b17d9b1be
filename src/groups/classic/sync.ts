import { KafkaError } from '../../protocol/errors.ts'
import type { SyncGroupRequest } from '../../protocol/messages/14-sync-group.ts'
import type { Caller } from '../caller.ts'
import type { Parked } from '../../coordination/parked.ts'
import { groupMetadata } from '../records.ts'
import type { Turn } from '../turn.ts'
import type { ClassicGroup } from './group.ts'
import type { ClassicMember, SyncReply } from './member.ts'
import { keepAlive } from './rebalance.ts'

/** From version 5 on a member says which protocol it takes the assignment to be in (KIP-559). */
const protocolRequiredVersion = 5

/** Decides a SyncGroup. `parked` is answered at once, or when the leader has assigned. */
export function sync(turn: Turn, request: SyncGroupRequest, caller: Caller, parked: Parked<SyncReply>): void {
  if (request.groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  const isProtocolNamed = request.protocolType !== null && request.protocolName !== null
  if (caller.version >= protocolRequiredVersion && !isProtocolNamed) {
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
  }
  const group = turn.state.classic(request.groupId)
  if (!group) throw new KafkaError('UNKNOWN_MEMBER_ID')
  const member = group.member(request.memberId, request.groupInstanceId)
  if (request.generationId !== group.generationId) throw new KafkaError('ILLEGAL_GENERATION')
  const isConsistent =
    agrees(request.protocolType, group.protocolType) && agrees(request.protocolName, group.protocolName)
  if (!isConsistent) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
  if (group.state === 'PreparingRebalance') throw new KafkaError('REBALANCE_IN_PROGRESS')

  group.pendingSyncs.delete(member.memberId)
  if (group.pendingSyncs.size === 0) group.syncDeadline.cancel()
  if (group.state === 'Stable') return turn.answer(parked, assignmentReply(group, member))
  member.parkSync(parked)
  if (group.isLeader(member.memberId)) assign(turn, group, request)
}

/** The leader has assigned: the group is stable as soon as the log has it, and everybody who waits hears its part. */
function assign(turn: Turn, group: ClassicGroup, { assignments }: SyncGroupRequest): void {
  const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  turn.write(groupMetadata(group.groupId, group.record(turn.nowMs, byMember)))
  for (const member of group.members.values()) {
    const parked = member.takeSync()
    if (!parked) continue
    turn.answer(parked, assignmentReply(group, member))
    keepAlive(turn, group, member)
  }
}

function assignmentReply(group: ClassicGroup, member: ClassicMember): SyncReply {
  return {
    errorCode: 0,
    protocolType: group.protocolType ?? null,
    protocolName: group.protocolName ?? null,
    assignment: member.assignment,
  }
}

/** What one side does not say cannot disagree. */
function agrees(said: string | null, known: string | undefined): boolean {
  return said === null || known === undefined || said === known
}
