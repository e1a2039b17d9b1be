/** ShareGroupHeartbeat, API key 76, versions 1. */
import { array, int16, int32, string, struct, uuid, message, type Of } from '../schema.ts'

export const ShareGroupHeartbeatRequest = message(
  { versions: '1', flexible: '0+' },
  {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    rackId: string.nullable().or(null),
    subscribedTopicNames: array(string).nullable().or(null),
  },
)
export type ShareGroupHeartbeatRequest = Of<typeof ShareGroupHeartbeatRequest>

const topicPartitions = struct({ topicId: uuid, partitions: array(int32) })

export const ShareGroupHeartbeatResponse = message(
  { versions: '1', flexible: '0+' },
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
export type ShareGroupHeartbeatResponse = Of<typeof ShareGroupHeartbeatResponse>
