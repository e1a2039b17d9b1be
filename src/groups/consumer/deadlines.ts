import type { Turn } from '../turn.ts'
import type { ConsumerGroup } from './group.ts'
import { memberStates, type ConsumerMember } from './member.ts'
import { fence } from './fence.ts'

/** Gives a member another session to be heard of; a classic one the time that it asked for. */
export function keepAlive(turn: Turn, group: ConsumerGroup, member: ConsumerMember): void {
  const timeoutMs =
    member.metadata.classicMemberMetadata?.sessionTimeoutMs ??
    turn.environment.configs.get('consumer.session.timeout.ms', group.groupId)
  member.session.set(timeoutMs, expiry(turn, group, member, 'its session has expired'))
}

/** A member that is to let go of partitions has its rebalance timeout for it; one that is not, all the time it likes. */
export function watchRevocation(turn: Turn, group: ConsumerGroup, member: ConsumerMember): void {
  if (member.isClassic) return
  if (member.current.state !== memberStates.unrevokedPartitions) return member.rebalance.cancel()
  const { memberEpoch } = member.current
  member.rebalance.set(
    member.metadata.rebalanceTimeoutMs,
    turn.later(turn => {
      if (group.members.get(member.memberId) !== member || member.current.memberEpoch !== memberEpoch) return
      fence(turn, group, [member], `it has not let go of partitions in epoch ${memberEpoch}`)
    }),
  )
}

/** What a deadline does with a member that is still there. */
export function expiry(turn: Turn, group: ConsumerGroup, member: ConsumerMember, reason: string): () => void {
  return turn.later(turn => {
    if (group.members.get(member.memberId) === member) fence(turn, group, [member], reason)
  })
}
