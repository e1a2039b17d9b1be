/** ConsumerGroupDescribe, API key 69, versions 0-1. */
import { array, bool, int16, int32, int8, string, struct, uuid, message, type Of } from '../schema.ts'

export const ConsumerGroupDescribeRequest = message(
  { versions: '0-1', flexible: '0+' },
  { groupIds: array(string), includeAuthorizedOperations: bool },
)
export type ConsumerGroupDescribeRequest = Of<typeof ConsumerGroupDescribeRequest>

const topicPartitions = struct({ topicId: uuid, topicName: string, partitions: array(int32) })

const assignment = struct({ topicPartitions: array(topicPartitions) })

export const ConsumerGroupDescribeResponse = message(
  { versions: '0-1', flexible: '0+' },
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
            instanceId: string.nullable().or(null),
            rackId: string.nullable().or(null),
            memberEpoch: int32,
            clientId: string,
            clientHost: string,
            subscribedTopicNames: array(string),
            subscribedTopicRegex: string.nullable().or(null),
            assignment: assignment,
            targetAssignment: assignment,
            memberType: int8.in('1+').or(-1),
          }),
        ),
        authorizedOperations: int32.or(-2147483648),
      }),
    ),
  },
)
export type ConsumerGroupDescribeResponse = Of<typeof ConsumerGroupDescribeResponse>
