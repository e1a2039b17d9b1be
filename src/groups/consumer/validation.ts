import { KafkaError } from '../../protocol/errors.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { joinEpoch, leaveEpoch, staticLeaveEpoch } from '../modern/member-epoch.ts'
import type { GroupSettings } from '../settings.ts'

/** From version 1 on members make up their ids themselves. */
const ownMemberIdVersion = 1

/** Throws INVALID_REQUEST or UNSUPPORTED_ASSIGNOR (GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid). */
export function validateHeartbeat(
  { groupConsumerAssignors }: GroupSettings,
  request: ConsumerGroupHeartbeatRequest,
  version: number,
): void {
  const { memberEpoch, serverAssignor } = request
  const needsMemberId = version >= ownMemberIdVersion || memberEpoch > 0 || memberEpoch === leaveEpoch
  if (needsMemberId) refuseEmpty('MemberId', request.memberId)
  refuseEmpty('GroupId', request.groupId)
  refuseEmpty('InstanceId', request.instanceId)
  refuseEmpty('RackId', request.rackId)
  if (memberEpoch === joinEpoch) validateJoin(request)
  if (memberEpoch === staticLeaveEpoch && request.instanceId === null)
    throw invalid("InstanceId can't be null.")
  if (memberEpoch < staticLeaveEpoch) throw invalid('MemberEpoch is invalid.')
  if (serverAssignor !== null && !groupConsumerAssignors.includes(serverAssignor)) {
    throw new KafkaError(
      'UNSUPPORTED_ASSIGNOR',
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${groupConsumerAssignors.join(', ')}.`,
    )
  }
}

function validateJoin(request: ConsumerGroupHeartbeatRequest): void {
  if (request.rebalanceTimeoutMs === -1)
    throw invalid('RebalanceTimeoutMs must be provided in first request.')
  if (request.topicPartitions === null || request.topicPartitions.length > 0)
    throw invalid('TopicPartitions must be empty when (re-)joining.')
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null)
    throw invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.')
}

/** A name of null is one that was not said. */
function refuseEmpty(field: string, value: string | null): void {
  if (value !== null && value.trim() === '') throw invalid(`${field} can't be empty.`)
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}
