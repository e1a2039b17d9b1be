import { metadataHash } from '../modern/topic-metadata.ts'
import type { Turn } from '../turn.ts'
import { canDowngrade, downgrade } from './downgrade.ts'
import type { ConsumerGroup } from './group.ts'
import type { ConsumerMember } from './member.ts'
import { groupEpoch, memberTombstones } from './records.ts'
import { forgetRegexes } from './subscription.ts'

/**
 * Takes members out, be it that they leave or that they are not heard of any more: what they had is free, and another target is
 * due. Where only members of the classic protocol stay, the group becomes a classic one.
 */
export function fence(
  turn: Turn,
  group: ConsumerGroup,
  leaving: readonly ConsumerMember[],
  reason: string,
): void {
  turn.environment.logger.info(
    { group: group.groupId, members: leaving.map(({ memberId }) => memberId), reason },
    'members leave a consumer group',
  )
  if (canDowngrade(turn, group, leaving)) return downgrade(turn, group, leaving)
  for (const { memberId } of leaving)
    for (const tombstone of memberTombstones(group.groupId, memberId)) turn.write(tombstone)
  forgetRegexes(turn, group)
  const hash = metadataHash(group.subscribedTopics, turn.environment.lookup)
  turn.write(groupEpoch(group.groupId, group.epoch + 1, hash))
}
