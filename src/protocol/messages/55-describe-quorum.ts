/** DescribeQuorum, API key 55, versions 0-2. */
import { array, int16, int32, int64, string, struct, uint16, uuid, message, type Of } from '../schema.ts'

export const DescribeQuorumRequest = message(
  { versions: '0-2', flexible: '0+' },
  { topics: array(struct({ topicName: string, partitions: array(struct({ partitionIndex: int32 })) })) },
)
export type DescribeQuorumRequest = Of<typeof DescribeQuorumRequest>

const replicaState = struct({
  replicaId: int32,
  replicaDirectoryId: uuid.in('2+'),
  logEndOffset: int64,
  lastFetchTimestamp: int64.in('1+').or(-1n),
  lastCaughtUpTimestamp: int64.in('1+').or(-1n),
})

export const DescribeQuorumResponse = message(
  { versions: '0-2', flexible: '0+' },
  {
    errorCode: int16,
    errorMessage: string.nullable().in('2+'),
    topics: array(
      struct({
        topicName: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            errorMessage: string.nullable().in('2+'),
            leaderId: int32,
            leaderEpoch: int32,
            highWatermark: int64,
            currentVoters: array(replicaState),
            observers: array(replicaState),
          }),
        ),
      }),
    ),
    nodes: array(
      struct({
        nodeId: int32.in('2+'),
        listeners: array(struct({ name: string.in('2+'), host: string.in('2+'), port: uint16.in('2+') })).in(
          '2+',
        ),
      }),
    ).in('2+'),
  },
)
export type DescribeQuorumResponse = Of<typeof DescribeQuorumResponse>
