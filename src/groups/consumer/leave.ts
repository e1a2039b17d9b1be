import { KafkaError } from '../../protocol/errors.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { staticLeaveEpoch } from '../modern/member-epoch.ts'
import type { Turn } from '../turn.ts'
import { fence } from './fence.ts'
import { ConsumerGroup } from './group.ts'
import type { HeartbeatReply } from './heartbeat.ts'
import { noPartitionEpochs, resetEpochs } from './partition-epochs.ts'
import { currentAssignment } from './records.ts'

/** A member leaves. A static one may say that it comes again: then nobody else gets what it has while its session lasts. */
export function leave(turn: Turn, request: ConsumerGroupHeartbeatRequest): HeartbeatReply {
  const { groupId, memberId, instanceId, memberEpoch } = request
  const group = consumerGroup(turn, groupId)
  const member = group.speaker(memberId, instanceId)
  if (instanceId !== null && memberEpoch === staticLeaveEpoch) {
    const { current } = member
    turn.write(
      currentAssignment(groupId, memberId, {
        ...current,
        memberEpoch,
        assigned: resetEpochs(current.assigned),
        revoking: noPartitionEpochs,
      }),
    )
    member.rebalance.cancel()
  } else fence(turn, group, [member], 'it has said so')
  return { errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: 0 }
}

/** The consumer group of this id. Throws GROUP_ID_NOT_FOUND. */
export function consumerGroup(turn: Turn, groupId: string): ConsumerGroup {
  const group = turn.state.groups.get(groupId)
  if (group instanceof ConsumerGroup) return group
  throw new KafkaError(
    'GROUP_ID_NOT_FOUND',
    group ? `Group ${groupId} is not a consumer group.` : `Group ${groupId} not found.`,
  )
}
