import { nothingDurable } from '../group.ts'
import type { ClassicGroup } from './group.ts'

/** What is unsound in a classic group, in words. */
export function auditClassic(group: ClassicGroup): string[] {
  const problems: string[] = []
  const claim = (isSound: boolean, problem: string): void => {
    if (!isSound) problems.push(`group ${group.groupId}: ${problem}`)
  }
  const { members, staticMembers, state } = group
  claim(members.size === 0 || members.has(group.leaderId ?? ''), 'its leader is not a member')
  claim(members.size === 0 || state !== 'Empty', 'it is Empty and has members')
  claim(
    members.size > 0 || state === 'Empty' || state === 'PreparingRebalance',
    `it is ${state} without members`,
  )
  for (const [instanceId, memberId] of staticMembers) {
    claim(members.get(memberId)?.groupInstanceId === instanceId, `${instanceId} is not ${memberId}`)
  }
  for (const memberId of group.pendingSyncs)
    claim(members.has(memberId), `${memberId} is to sync and not there`)
  for (const member of members.values()) {
    claim(!group.pendingJoins.has(member.memberId), `${member.memberId} is pending and has joined`)
    claim(
      !member.parkedJoin || state === 'PreparingRebalance',
      `${member.memberId} waits to join in ${state}`,
    )
    claim(
      !member.parkedSync || state === 'CompletingRebalance',
      `${member.memberId} waits to sync in ${state}`,
    )
  }
  return problems
}

/** As in Group. While a rebalance is under way the log still has the generation before. */
export function durableClassic(group: ClassicGroup): string | undefined {
  const { state, generationId, protocolName, leaderId } = group
  if (state !== 'Stable' && state !== 'Empty') return undefined
  // A group that nobody ever joined is there for its offsets' sake, and goes with them when the log is compacted.
  if (state === 'Empty' && generationId === 0) return nothingDurable
  const members = Array.from(group.members.values(), member => [
    member.memberId,
    member.groupInstanceId,
    member.assignment.toString('hex'),
  ])
  return JSON.stringify([state, generationId, protocolName, leaderId, members.sort()])
}
