import { groupRecord } from '../records.ts'
import type { Turn } from '../turn.ts'
import type { ShareGroup } from './group.ts'
import type { ShareMember } from './member.ts'

/** The member was heard of: it has a session's time again. */
export function keepAlive(turn: Turn, group: ShareGroup, { memberId, session }: ShareMember): void {
  const { groupId } = group
  session.set(
    turn.environment.configs.get('share.session.timeout.ms', groupId),
    turn.later(turn => {
      const group = turn.state.share(groupId)
      if (!group?.members.has(memberId)) return
      turn.environment.logger.info(
        { group: groupId, member: memberId },
        'a member of a share group was not heard of',
      )
      removeMember(turn, group, memberId)
    }),
  )
}

/** Takes a member out. Who reads its partitions is decided when the next one is heard of. */
export function removeMember(turn: Turn, group: ShareGroup, memberId: string): void {
  const { groupId, metadataHash } = group
  const key = { groupId, memberId }
  turn.write(groupRecord('shareGroupCurrentMemberAssignment', key, null))
  turn.write(groupRecord('shareGroupTargetAssignmentMember', key, null))
  turn.write(groupRecord('shareGroupMemberMetadata', key, null))
  turn.write(groupRecord('shareGroupMetadata', { groupId }, { epoch: group.epoch + 1, metadataHash }))
}
