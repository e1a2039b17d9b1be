import { each, hasPartition, noPartitions, type TopicPartitions } from '../modern/topic-partitions.ts'
import type { Turn } from '../turn.ts'
import { watchRevocation } from './deadlines.ts'
import type { ConsumerGroup } from './group.ts'
import { memberStates, type ConsumerMember, type CurrentAssignment } from './member.ts'
import {
  atEpoch,
  isSameWithEpochs,
  merged,
  noPartitionEpochs,
  split,
  type PartitionEpochs,
} from './partition-epochs.ts'
import { currentAssignment } from './records.ts'

/**
 * Moves a member one step towards its target (KIP-848): it lets go of what it is not to have, is then in the target's epoch, and
 * gets what others have let go of by then. `owned` is what it says that it works on; undefined where it does not say.
 */
export function reconcile(
  turn: Turn,
  group: ConsumerGroup,
  member: ConsumerMember,
  owned: TopicPartitions | undefined,
  hasSubscriptionChanged: boolean,
): void {
  if (!hasSubscriptionChanged && member.isReconciledTo(group.target.epoch)) return
  const next = nextAssignment(turn, group, member, owned, hasSubscriptionChanged)
  if (isSame(next, member.current)) return
  turn.write(currentAssignment(group.groupId, member.memberId, next))
  watchRevocation(turn, group, member)
}

function nextAssignment(
  turn: Turn,
  group: ConsumerGroup,
  member: ConsumerMember,
  owned: TopicPartitions | undefined,
  hasSubscriptionChanged: boolean,
): CurrentAssignment {
  const { current } = member
  const readable = topicIdsOf(turn, group, member)
  const isWorkingOnRevoked =
    current.state === memberStates.unrevokedPartitions && isStillOwned(current.revoking, owned)
  const isStable = current.state === memberStates.stable && current.memberEpoch === group.target.epoch
  if (!isWorkingOnRevoked && !isStable) return towardsTarget(group, member, owned, readable)
  return hasSubscriptionChanged ? withoutUnread(current, owned, readable) : current
}

/** It does not read some topics any more: their partitions go before the next target says so. */
function withoutUnread(
  current: CurrentAssignment,
  owned: TopicPartitions | undefined,
  readable: ReadonlySet<string>,
): CurrentAssignment {
  const { kept, others } = split(current.assigned, ofTopics(current.assigned, readable))
  if (others.size === 0) return current
  const revoking = merged(current.revoking, others)
  const isOwned = isStillOwned(revoking, owned)
  return {
    memberEpoch: current.memberEpoch,
    previousMemberEpoch: current.memberEpoch,
    state: isOwned ? memberStates.unrevokedPartitions : current.state,
    assigned: kept,
    revoking: isOwned ? revoking : current.revoking,
  }
}

function towardsTarget(
  group: ConsumerGroup,
  { memberId, current }: ConsumerMember,
  owned: TopicPartitions | undefined,
  readable: ReadonlySet<string>,
): CurrentAssignment {
  const target = ofTopics(group.target.of(memberId), readable)
  const { kept, others: revoking } = split(current.assigned, target)
  if (revoking.size > 0 && isStillOwned(revoking, owned)) {
    return {
      memberEpoch: current.memberEpoch,
      previousMemberEpoch: current.memberEpoch,
      state: memberStates.unrevokedPartitions,
      assigned: kept,
      revoking,
    }
  }
  const free = new Map<string, Set<number>>()
  let hasUnreleased = false
  for (const [topicId, partition] of each(target)) {
    if (hasPartition(kept, topicId, partition)) continue
    const owner = group.owners.of(topicId, partition)
    if (owner !== undefined && owner !== memberId) hasUnreleased = true
    else free.set(topicId, (free.get(topicId) ?? new Set()).add(partition))
  }
  const { epoch } = group.target
  return {
    memberEpoch: epoch,
    previousMemberEpoch: current.memberEpoch,
    state: hasUnreleased ? memberStates.unreleasedPartitions : memberStates.stable,
    assigned: merged(kept, atEpoch(free, epoch)),
    revoking: noPartitionEpochs,
  }
}

/** Who does not say what it works on may work on all of it. */
function isStillOwned(revoking: PartitionEpochs, owned: TopicPartitions | undefined): boolean {
  if (!owned) return true
  for (const [topicId, partition] of each(owned)) if (hasPartition(revoking, topicId, partition)) return true
  return false
}

function topicIdsOf(turn: Turn, group: ConsumerGroup, member: ConsumerMember): ReadonlySet<string> {
  const ids = group.topicsOf(member).map(name => turn.environment.lookup.topicId(name))
  return new Set(ids.filter(id => id !== undefined))
}

function ofTopics(all: TopicPartitions, topicIds: ReadonlySet<string>): TopicPartitions {
  const kept = [...all].filter(([topicId]) => topicIds.has(topicId))
  return kept.length === all.size ? all : kept.length === 0 ? noPartitions : new Map(kept)
}

function isSame(left: CurrentAssignment, right: CurrentAssignment): boolean {
  return (
    left === right ||
    (left.memberEpoch === right.memberEpoch &&
      left.previousMemberEpoch === right.previousMemberEpoch &&
      left.state === right.state &&
      isSameWithEpochs(left.assigned, right.assigned) &&
      isSameWithEpochs(left.revoking, right.revoking))
  )
}
