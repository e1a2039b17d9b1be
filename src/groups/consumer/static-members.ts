import { staticLeaveEpoch } from '../modern/member-epoch.ts'
import type { Turn } from '../turn.ts'
import type { ConsumerGroup } from './group.ts'
import type { ConsumerMember } from './member.ts'
import { currentAssignment, memberMetadata, memberTarget, memberTombstones } from './records.ts'

/** Whether another process may take the place of a static member: it has left for a while, or speaks a protocol without such leaves. */
export function canReplace(member: ConsumerMember): boolean {
  return member.current.memberEpoch === staticLeaveEpoch || member.isClassic
}

/** Gives the place of a static member, and all that it has, to `memberId`, which begins at epoch 0 (KIP-345). */
export function replaceMember(turn: Turn, group: ConsumerGroup, old: ConsumerMember, memberId: string): void {
  const { groupId } = group
  const { metadata, current } = old
  const target = group.target.of(old.memberId)
  for (const tombstone of memberTombstones(groupId, old.memberId)) turn.write(tombstone)
  turn.write(memberMetadata(groupId, memberId, metadata))
  turn.write(memberTarget(groupId, memberId, target))
  turn.write(currentAssignment(groupId, memberId, { ...current, memberEpoch: 0, previousMemberEpoch: 0 }))
}
