import type { ClassicGroup } from './classic/group.ts'
import type { PartitionState } from './partition-state.ts'

/** What is unsound in a partition's state, in words. `logged` is the state that its log gives. */
export function auditState(state: PartitionState, logged: PartitionState): string[] {
  const problems: string[] = []
  for (const group of state.groups.values()) problems.push(...auditGroup(group))
  for (const groupId of union(state.groups.keys(), logged.groups.keys())) {
    const group = state.groups.get(groupId)
    const here = durablePart(group)
    const there = durablePart(logged.groups.get(groupId))
    // While a rebalance is under way the log still has the generation before.
    const isSettled = !group || group.state === 'Stable' || group.state === 'Empty'
    if (isSettled && here !== there) problems.push(`group ${groupId} is ${here}, in its log ${there}`)
  }
  for (const groupId of union(state.offsets.groups(), logged.offsets.groups())) {
    const here = offsetsPart(state, groupId)
    const there = offsetsPart(logged, groupId)
    if (here !== there) problems.push(`group ${groupId} has offsets ${here}, in its log ${there}`)
  }
  return problems
}

function auditGroup(group: ClassicGroup): string[] {
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

/** What a restart would not change, in words. */
function durablePart(group: ClassicGroup | undefined): string {
  // A group that nobody ever joined is there for its offsets' sake, and goes with them when the log is compacted.
  if (!group || (group.state === 'Empty' && group.generationId === 0)) return 'without members'
  const members = Array.from(group.members.values(), member => [
    member.memberId,
    member.groupInstanceId,
    member.assignment.toString('hex'),
  ])
  return JSON.stringify([group.state, group.generationId, group.protocolName, group.leaderId, members.sort()])
}

function offsetsPart(state: PartitionState, groupId: string): string {
  const parts: string[] = []
  for (const [topic, partitions] of state.offsets.of(groupId)) {
    for (const [partition, { offset, metadata }] of partitions)
      parts.push(`${topic}-${partition}:${offset}${metadata}`)
  }
  return parts.sort().join(' ')
}

function union<T>(a: Iterable<T>, b: Iterable<T>): Set<T> {
  return new Set([...a, ...b])
}
