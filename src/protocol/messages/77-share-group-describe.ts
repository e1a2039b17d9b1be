/** ShareGroupDescribe, API key 77, versions 1. */
import { array, bool, int16, int32, string, struct, uuid, message, type Of } from '../schema.ts'

export const ShareGroupDescribeRequest = message(
  { versions: '1', flexible: '0+' },
  { groupIds: array(string), includeAuthorizedOperations: bool },
)
export type ShareGroupDescribeRequest = Of<typeof ShareGroupDescribeRequest>

const topicPartitions = struct({ topicId: uuid, topicName: string, partitions: array(int32) })

const assignment = struct({ topicPartitions: array(topicPartitions) })

export const ShareGroupDescribeResponse = message(
  { versions: '1', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    groups: array(
      struct({
        errorCode: int16,
        errorMessage: string.nullable().or(null),
        groupId: string,
        groupState: string,
        groupEpoch: int32,
        assignmentEpoch: int32,
        assignorName: string,
        members: array(
          struct({
            memberId: string,
            rackId: string.nullable().or(null),
            memberEpoch: int32,
            clientId: string,
            clientHost: string,
            subscribedTopicNames: array(string),
            assignment: assignment,
          }),
        ),
        authorizedOperations: int32.or(-2147483648),
      }),
    ),
  },
)
export type ShareGroupDescribeResponse = Of<typeof ShareGroupDescribeResponse>
