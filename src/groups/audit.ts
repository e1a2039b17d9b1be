import { nothingDurable } from './group.ts'
import type { PartitionState } from './partition-state.ts'

/** What is unsound in a partition's state, in words. `logged` is the state that its log gives. */
export function auditState(state: PartitionState, logged: PartitionState): string[] {
  const problems: string[] = []
  for (const group of state.groups.values()) problems.push(...group.audit())
  for (const groupId of union(state.groups.keys(), logged.groups.keys())) {
    const group = state.groups.get(groupId)
    const here = group ? group.durablePart() : nothingDurable
    const there = logged.groups.get(groupId)?.durablePart() ?? nothingDurable
    if (here !== undefined && here !== there)
      problems.push(`group ${groupId} is ${here}, in its log ${there}`)
  }
  for (const groupId of union(state.offsets.groups(), logged.offsets.groups())) {
    const here = offsetsPart(state, groupId)
    const there = offsetsPart(logged, groupId)
    if (here !== there) problems.push(`group ${groupId} has offsets ${here}, in its log ${there}`)
  }
  const [pendingHere, pendingThere] = [pendingPart(state), pendingPart(logged)]
  if (pendingHere !== pendingThere)
    problems.push(`transactions have offsets ${pendingHere}, in the log ${pendingThere}`)
  return problems
}

function pendingPart({ pendingOffsets }: PartitionState): string {
  const parts = Array.from(
    pendingOffsets.each(),
    ({ producerId, group, topic, partition, offset }) =>
      `${producerId}: ${group} ${topic}-${partition}:${offset.offset}${offset.metadata}`,
  )
  return parts.sort().join(' ')
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
