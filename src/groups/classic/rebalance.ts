import type { ErrorName } from '../../protocol/errors.ts'
import { groupMetadata } from '../records.ts'
import type { Turn } from '../turn.ts'
import type { ClassicGroup } from './group.ts'
import { noBytes, type ClassicMember, type JoinReply } from './member.ts'

/**
 * How a classic group goes from one generation to the next (GroupMetadataManager): everybody is called to join, and
 * those who came by the deadline are the next generation; then everybody is to fetch an assignment.
 */

/** A rebalance is due: one begins, or, if one is under way, may be complete by now. */
export function rebalance(turn: Turn, group: ClassicGroup, reason: string): void {
  if (group.state === 'PreparingRebalance') completeJoinIfAllJoined(turn, group)
  else prepareRebalance(turn, group, reason)
}

/** Calls everybody to join. */
export function prepareRebalance(turn: Turn, group: ClassicGroup, reason: string): void {
  if (group.state === 'CompletingRebalance') {
    for (const member of group.members.values()) {
      member.assignment = noBytes
      const parked = member.takeSync()
      if (!parked) continue
      turn.refuse(parked, 'REBALANCE_IN_PROGRESS')
      keepAlive(turn, group, member)
    }
  }
  group.pendingSyncs.clear()
  group.syncDeadline.cancel()
  group.isInitialRebalance = group.state === 'Empty'
  group.state = 'PreparingRebalance'
  turn.environment.logger.info(
    { group: group.groupId, generation: group.generationId, reason },
    'a group prepares to rebalance',
  )
  if (group.isInitialRebalance) {
    const delayMs = turn.environment.settings.groupInitialRebalanceDelayMs
    awaitNewMembers(turn, group, delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0))
  } else if (group.haveAllJoined) {
    completeJoin(turn, group)
  } else {
    awaitJoins(turn, group)
  }
}

/** Ends the join phase when nobody is missing. The first rebalance of a group takes its time nevertheless. */
export function completeJoinIfAllJoined(turn: Turn, group: ClassicGroup): void {
  if (group.state !== 'PreparingRebalance' || group.isInitialRebalance || !group.haveAllJoined) return
  completeJoin(turn, group)
}

/** The first members of a group are seldom alone: as long as others come, wait again, up to the rebalance timeout. */
function awaitNewMembers(turn: Turn, group: ClassicGroup, delayMs: number, remainingMs: number): void {
  group.hasNewMember = false
  group.joinDeadline.set(
    delayMs,
    turn.later(turn => {
      if (!group.hasNewMember || remainingMs === 0) return completeJoin(turn, group)
      const nextDelayMs = Math.min(turn.environment.settings.groupInitialRebalanceDelayMs, remainingMs)
      awaitNewMembers(turn, group, nextDelayMs, Math.max(remainingMs - delayMs, 0))
    }),
  )
}

function awaitJoins(turn: Turn, group: ClassicGroup): void {
  group.joinDeadline.set(
    group.rebalanceTimeoutMs,
    turn.later(turn => completeJoin(turn, group)),
  )
}

/** Begins the next generation with those who joined, and with static members, who may be away. */
function completeJoin(turn: Turn, group: ClassicGroup): void {
  group.joinDeadline.cancel()
  for (const member of Array.from(group.members.values())) {
    if (!member.parkedJoin && member.groupInstanceId === null) group.remove(member.memberId)
  }
  if (group.members.size === 0) return becomeEmpty(turn, group)
  // Only static members are left, and all are away: wait until they come or their sessions end.
  if (!group.electJoinedLeader()) return awaitJoins(turn, group)

  group.beginGeneration()
  turn.environment.logger.info(
    { group: group.groupId, generation: group.generationId, members: group.members.size },
    'a group has a new generation',
  )
  for (const member of group.members.values()) {
    turn.answer(member.takeJoin(), generationReply(group, member.memberId))
    member.isNew = false
    keepAlive(turn, group, member)
  }
  group.syncDeadline.set(
    group.rebalanceTimeoutMs,
    turn.later(turn => expireSyncs(turn, group)),
  )
}

function becomeEmpty(turn: Turn, group: ClassicGroup): void {
  turn.write(
    groupMetadata(group.groupId, {
      protocolType: group.protocolType ?? '',
      generation: group.generationId + 1,
      protocol: null,
      leader: null,
      currentStateTimestamp: BigInt(turn.nowMs),
      members: [],
    }),
  )
  turn.environment.logger.info({ group: group.groupId, generation: group.generationId }, 'a group is empty')
}

/** What a member is told of the generation that it is in; the leader, who all the members are. */
export function generationReply(group: ClassicGroup, memberId: string): JoinReply {
  return {
    errorCode: 0,
    generationId: group.generationId,
    protocolType: group.protocolType ?? null,
    protocolName: group.protocolName ?? null,
    leader: group.leaderId ?? '',
    memberId,
    members: group.isLeader(memberId) ? group.roster : [],
  }
}

/** Those who joined and never asked for their assignment are dropped. */
function expireSyncs(turn: Turn, group: ClassicGroup): void {
  if (group.pendingSyncs.size === 0) return
  const missing = Array.from(group.pendingSyncs)
  for (const memberId of missing) dismiss(turn, group, memberId, 'UNKNOWN_MEMBER_ID')
  prepareRebalance(turn, group, `no SyncGroup came from ${missing.join(', ')}`)
}

/** Gives a member another session timeout to live; a new one, that may not know its id yet, more. */
export function keepAlive(
  turn: Turn,
  group: ClassicGroup,
  member: ClassicMember,
  timeoutMs: number = member.sessionTimeoutMs,
): void {
  member.session.set(
    timeoutMs,
    turn.later(turn => expireSession(turn, group, member)),
  )
}

function expireSession(turn: Turn, group: ClassicGroup, member: ClassicMember): void {
  if (member.isExcusedFromHeartbeats) return
  dismiss(turn, group, member.memberId, 'UNKNOWN_MEMBER_ID')
  rebalance(turn, group, `the session of ${member.memberId} has expired`)
}

/** Takes a member out. What it waits for is answered with `error`, so that it joins anew if it is still alive. */
export function dismiss(turn: Turn, group: ClassicGroup, memberId: string, error: ErrorName): void {
  const member = group.remove(memberId)
  turn.refuse(member?.takeJoin(), error)
  turn.refuse(member?.takeSync(), error)
}
