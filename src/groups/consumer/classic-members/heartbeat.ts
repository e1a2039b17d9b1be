import { KafkaError } from '../../../protocol/errors.ts'
import type { HeartbeatRequest } from '../../../protocol/messages/12-heartbeat.ts'
import { each, hasPartition } from '../../modern/topic-partitions.ts'
import type { Turn } from '../../turn.ts'
import { expiry, keepAlive } from '../deadlines.ts'
import type { ConsumerGroup } from '../group.ts'
import { memberStates, type ConsumerMember } from '../member.ts'
import { classicSpeaker } from './speaker.ts'

/** Decides a Heartbeat in a consumer group: REBALANCE_IN_PROGRESS tells the member to join again, when there is a step to take. */
export function heartbeatConsumers(turn: Turn, group: ConsumerGroup, request: HeartbeatRequest): void {
  const member = classicSpeaker(group, request)
  keepAlive(turn, group, member)
  if (!hasStepToTake(group, member)) return
  awaitJoin(turn, group, member)
  throw new KafkaError('REBALANCE_IN_PROGRESS')
}

function hasStepToTake(group: ConsumerGroup, member: ConsumerMember): boolean {
  const { memberEpoch, state } = member.current
  return (
    memberEpoch < group.target.epoch ||
    state === memberStates.unrevokedPartitions ||
    (state === memberStates.unreleasedPartitions && !isWaitingForOthers(group, member))
  )
}

/** Whether any of what it is to have is still somebody else's. */
function isWaitingForOthers(group: ConsumerGroup, { memberId, current }: ConsumerMember): boolean {
  for (const [topicId, partition] of each(group.target.of(memberId))) {
    if (hasPartition(current.assigned, topicId, partition)) continue
    if (group.owners.of(topicId, partition) !== undefined) return true
  }
  return false
}

/** A member that was told to join has its rebalance timeout for it. */
export function awaitJoin(turn: Turn, group: ConsumerGroup, member: ConsumerMember): void {
  if (member.rebalance.isSet) return
  const reason = 'it has not joined again in time'
  member.rebalance.set(member.metadata.rebalanceTimeoutMs, expiry(turn, group, member, reason))
}
