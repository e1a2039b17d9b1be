/** Metadata, API key 3, versions 0-13. */
import { array, bool, int16, int32, string, struct, uuid, message, type Of } from '../schema.ts'

export const MetadataRequest = message(
  { versions: '0-13', flexible: '9+' },
  {
    topics: array(struct({ topicId: uuid.in('10+'), name: string.nullable('10+') })).nullable('1+'),
    allowAutoTopicCreation: bool.in('4+').or(true),
    includeClusterAuthorizedOperations: bool.in('8-10'),
    includeTopicAuthorizedOperations: bool.in('8+'),
  },
)
export type MetadataRequest = Of<typeof MetadataRequest>

export const MetadataResponse = message(
  { versions: '0-13', flexible: '9+' },
  {
    throttleTimeMs: int32.in('3+').or(0),
    brokers: array(
      struct({ nodeId: int32, host: string, port: int32, rack: string.nullable().in('1+').or(null) }),
    ),
    clusterId: string.nullable().in('2+').or(null),
    controllerId: int32.in('1+').or(-1),
    topics: array(
      struct({
        errorCode: int16,
        name: string.nullable('12+'),
        topicId: uuid.in('10+'),
        isInternal: bool.in('1+').or(false),
        partitions: array(
          struct({
            errorCode: int16,
            partitionIndex: int32,
            leaderId: int32,
            leaderEpoch: int32.in('7+').or(-1),
            replicaNodes: array(int32),
            isrNodes: array(int32),
            offlineReplicas: array(int32).in('5+'),
          }),
        ),
        topicAuthorizedOperations: int32.in('8+').or(-2147483648),
      }),
    ),
    clusterAuthorizedOperations: int32.in('8-10').or(-2147483648),
    errorCode: int16.in('13+'),
  },
)
export type MetadataResponse = Of<typeof MetadataResponse>
