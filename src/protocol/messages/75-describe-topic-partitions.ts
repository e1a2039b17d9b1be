/** DescribeTopicPartitions, API key 75, versions 0. */
import { array, bool, int16, int32, string, struct, uuid, message, type Of } from '../schema.ts'

export const DescribeTopicPartitionsRequest = message(
  { versions: '0', flexible: '0+' },
  {
    topics: array(struct({ name: string })),
    responsePartitionLimit: int32.or(2000),
    cursor: struct({ topicName: string, partitionIndex: int32 }).nullable().or(null),
  },
)
export type DescribeTopicPartitionsRequest = Of<typeof DescribeTopicPartitionsRequest>

export const DescribeTopicPartitionsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    topics: array(
      struct({
        errorCode: int16,
        name: string.nullable(),
        topicId: uuid,
        isInternal: bool.or(false),
        partitions: array(
          struct({
            errorCode: int16,
            partitionIndex: int32,
            leaderId: int32,
            leaderEpoch: int32.or(-1),
            replicaNodes: array(int32),
            isrNodes: array(int32),
            eligibleLeaderReplicas: array(int32).nullable().or(null),
            lastKnownElr: array(int32).nullable().or(null),
            offlineReplicas: array(int32),
          }),
        ),
        topicAuthorizedOperations: int32.or(-2147483648),
      }),
    ),
    nextCursor: struct({ topicName: string, partitionIndex: int32 }).nullable().or(null),
  },
)
export type DescribeTopicPartitionsResponse = Of<typeof DescribeTopicPartitionsResponse>
