import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import type { JoinGroupRequest } from '../../protocol/messages/11-join-group.ts'
import type { Caller } from '../caller.ts'
import { Deadline } from '../../coordination/deadline.ts'
import type { Parked } from '../../coordination/parked.ts'
import { groupMetadata } from '../records.ts'
import type { Turn } from '../turn.ts'
import type { ClassicGroup } from './group.ts'
import { ClassicMember, ownedProtocols, type JoinReply } from './member.ts'
import { newMemberId } from './member-id.ts'
import {
  completeJoinIfAllJoined,
  dismiss,
  generationReply,
  keepAlive,
  prepareRebalance,
  rebalance,
} from './rebalance.ts'
import { joinRefusal } from './refusals.ts'

/** A new member may wait for its first answer longer than its session: it cannot send heartbeats before it (KAFKA-7610). */
const newMemberTimeoutMs = 5 * 60 * 1000

/** From version 4 on a dynamic member gets its id before it joins, so that a retry does not count twice (KIP-394). */
const memberIdRequiredVersion = 4

/** From version 9 on a leader can be told that there is nothing to assign (KIP-814). */
const skipAssignmentVersion = 9

/** A request on its way into a group. */
interface Joining {
  readonly turn: Turn
  readonly group: ClassicGroup
  readonly request: JoinGroupRequest
  readonly caller: Caller
  readonly parked: Parked<JoinReply>
}

/** Decides a JoinGroup. `parked` is answered at once, or when the group is complete. */
export function join(turn: Turn, request: JoinGroupRequest, caller: Caller, parked: Parked<JoinReply>): void {
  const { groupId, memberId, protocolType, protocols } = request
  validateJoin(turn, request)
  const present = turn.state.classic(groupId)
  // An empty group of another type makes room for a classic one, but for a share group, whose offsets are kept elsewhere.
  const other = present ? undefined : turn.state.groups.get(groupId)
  if (other && (!other.isEmpty || other.type === 'share')) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
  if (!present && memberId !== '') throw new KafkaError('UNKNOWN_MEMBER_ID')
  if (present && !hasRoomFor(turn, present, memberId)) {
    dismiss(turn, present, memberId, 'GROUP_MAX_SIZE_REACHED')
    turn.answer(parked, joinRefusal('', errorCodes.GROUP_MAX_SIZE_REACHED))
    return completeJoinIfAllJoined(turn, present)
  }
  const isSupported =
    present?.supports(protocolType, protocols) ?? (protocolType !== '' && protocols.length > 0)
  if (!isSupported) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')

  const joining: Joining = { turn, group: present ?? createGroup(turn, groupId), request, caller, parked }
  if (memberId === '') joinAsNew(joining)
  else joinAgain(joining)
}

/** Throws INVALID_GROUP_ID or INVALID_SESSION_TIMEOUT. */
export function validateJoin(turn: Turn, { groupId, sessionTimeoutMs }: JoinGroupRequest): void {
  const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = turn.environment.settings
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs) {
    throw new KafkaError('INVALID_SESSION_TIMEOUT')
  }
}

/**
 * While a rebalance is prepared those who have joined are counted, so that of too large a group the last to come are
 * turned away; afterwards, the members.
 */
function hasRoomFor(turn: Turn, group: ClassicGroup, memberId: string): boolean {
  const { groupMaxSize } = turn.environment.settings
  const member = group.members.get(memberId)
  switch (group.state) {
    case 'Empty':
      return true
    case 'PreparingRebalance':
      return member?.parkedJoin !== undefined || group.awaitingJoinCount < groupMaxSize
    default:
      return member !== undefined || group.members.size < groupMaxSize
  }
}

/** A group exists from its first join on, so that it is listed after a restart too. */
function createGroup(turn: Turn, groupId: string): ClassicGroup {
  for (const tombstone of turn.state.groups.get(groupId)?.tombstones() ?? []) turn.write(tombstone)
  turn.write(
    groupMetadata(groupId, {
      protocolType: '',
      generation: 0,
      protocol: null,
      leader: null,
      currentStateTimestamp: BigInt(turn.nowMs),
      members: [],
    }),
  )
  return turn.state.classic(groupId)!
}

function joinAsNew(joining: Joining): void {
  const { turn, group, request, caller, parked } = joining
  const memberId = newMemberId(request.groupInstanceId ?? caller.clientId, turn.environment.random)
  if (request.groupInstanceId !== null) {
    const currentId = group.staticMembers.get(request.groupInstanceId)
    if (currentId === undefined) addMember(joining, memberId)
    else replaceStaticMember(joining, currentId, memberId)
  } else if (caller.version >= memberIdRequiredVersion) {
    const deadline = new Deadline(turn.environment.clock)
    group.pendingJoins.set(memberId, deadline)
    deadline.set(
      request.sessionTimeoutMs,
      turn.later(turn => {
        group.removePending(memberId)
        completeJoinIfAllJoined(turn, group)
      }),
    )
    turn.answer(parked, joinRefusal(memberId, errorCodes.MEMBER_ID_REQUIRED))
  } else {
    addMember(joining, memberId)
  }
}

function addMember({ turn, group, request, caller, parked }: Joining, memberId: string): void {
  const member = newMember(turn, request, caller, memberId)
  member.isNew = true
  member.parkJoin(parked)
  if (group.isInitialRebalance) group.hasNewMember = true
  group.add(member, request.protocolType)
  keepAlive(turn, group, member, newMemberTimeoutMs)
  rebalance(turn, group, `${memberId} has come (${reasonOf(request)})`)
}

function joinAgain(joining: Joining): void {
  const { turn, group, request, parked } = joining
  const { memberId, groupInstanceId } = request
  if (groupInstanceId === null && group.pendingJoins.has(memberId)) return addMember(joining, memberId)

  const member = group.member(memberId, groupInstanceId)
  const isUnchanged = member.matches(request.protocols)
  // It may not have received the last answer. A leader that joins a stable group asks for a rebalance, though: it has
  // seen something that the members' metadata does not show, such as new partitions.
  const isAnsweredAlready =
    isUnchanged &&
    (group.state === 'CompletingRebalance' || (group.state === 'Stable' && !group.isLeader(memberId)))
  if (isAnsweredAlready) return turn.answer(parked, generationReply(group, memberId))

  updateMember(member, request, parked)
  rebalance(turn, group, `${memberId} joins again (${reasonOf(request)})`)
}

/** A static member that has lost its member id, most likely by a restart, gets a new one, and its assignment back (KIP-345). */
function replaceStaticMember(
  { turn, group, request, caller, parked }: Joining,
  oldId: string,
  newId: string,
): void {
  const oldLeaderId = group.leaderId ?? ''
  const member = newMember(turn, request, caller, newId)
  const old = group.replaceStatic(oldId, member)
  turn.refuse(old.takeJoin(), 'FENCED_INSTANCE_ID')
  turn.refuse(old.takeSync(), 'FENCED_INSTANCE_ID')
  keepAlive(turn, group, member)

  if (group.state === 'Stable' && group.electProtocol() === group.protocolName) {
    const assignments = new Map(
      Array.from(group.members.values(), ({ memberId, assignment }) => [memberId, assignment]),
    )
    turn.write(groupMetadata(group.groupId, group.record(turn.nowMs, assignments)))
    const canSkip = caller.version >= skipAssignmentVersion
    turn.answer(parked, {
      ...generationReply(group, newId),
      // An older client that hears that it leads would assign anew, which nobody waits for: it hears its old id.
      ...(canSkip ? { skipAssignment: group.isLeader(newId) } : { leader: oldLeaderId, members: [] }),
    })
    return
  }
  member.parkJoin(parked)
  if (group.state === 'PreparingRebalance') completeJoinIfAllJoined(turn, group)
  // What the leader is assigning now is for the old id, so that the new one would go without.
  else prepareRebalance(turn, group, `${newId} takes the place of ${oldId} (${reasonOf(request)})`)
}

function newMember(turn: Turn, request: JoinGroupRequest, caller: Caller, memberId: string): ClassicMember {
  const facts = {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    rebalanceTimeoutMs: rebalanceTimeoutOf(request),
    sessionTimeoutMs: request.sessionTimeoutMs,
    protocols: ownedProtocols(request),
  }
  return new ClassicMember(facts, turn.environment.clock)
}

function updateMember(member: ClassicMember, request: JoinGroupRequest, parked: Parked<JoinReply>): void {
  member.protocols = ownedProtocols(request)
  member.rebalanceTimeoutMs = rebalanceTimeoutOf(request)
  member.sessionTimeoutMs = request.sessionTimeoutMs
  member.parkJoin(parked)
}

/** Version 0 knows one timeout for both. */
function rebalanceTimeoutOf({ rebalanceTimeoutMs, sessionTimeoutMs }: JoinGroupRequest): number {
  return rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs
}

function reasonOf({ reason }: JoinGroupRequest): string {
  return reason || 'no reason given'
}
