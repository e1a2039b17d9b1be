/** ConsumerGroupHeartbeat, API key 68, versions 0-1. */
import { array, int16, int32, string, struct, uuid, message, type Of } from '../schema.ts'

export const ConsumerGroupHeartbeatRequest = message(
  { versions: '0-1', flexible: '0+' },
  {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: string.nullable().or(null),
    rackId: string.nullable().or(null),
    rebalanceTimeoutMs: int32.or(-1),
    subscribedTopicNames: array(string).nullable().or(null),
    subscribedTopicRegex: string.nullable().in('1+').or(null),
    serverAssignor: string.nullable().or(null),
    topicPartitions: array(struct({ topicId: uuid, partitions: array(int32) }))
      .nullable()
      .or(null),
  },
)
export type ConsumerGroupHeartbeatRequest = Of<typeof ConsumerGroupHeartbeatRequest>

const topicPartitions = struct({ topicId: uuid, partitions: array(int32) })

export const ConsumerGroupHeartbeatResponse = message(
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    memberId: string.nullable().or(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: struct({ topicPartitions: array(topicPartitions) })
      .nullable()
      .or(null),
  },
)
export type ConsumerGroupHeartbeatResponse = Of<typeof ConsumerGroupHeartbeatResponse>
