/** BeginQuorumEpoch, API key 53, versions 0-1. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { array, int16, int32, string, struct, uint16, uuid, message, type Of } from '../schema.ts'

export const BeginQuorumEpochRequest = message(
  { versions: '0-1', flexible: '1+' },
  {
    clusterId: string.nullable().or(null),
    voterId: int32.in('1+').or(-1),
    topics: array(
      struct({
        topicName: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            voterDirectoryId: uuid.in('1+'),
            leaderId: int32,
            leaderEpoch: int32,
          }),
        ),
      }),
    ),
    leaderEndpoints: array(
      struct({ name: string.in('1+'), host: string.in('1+'), port: uint16.in('1+') }),
    ).in('1+'),
  },
)
export type BeginQuorumEpochRequest = Of<typeof BeginQuorumEpochRequest>

export const BeginQuorumEpochResponse = message(
  { versions: '0-1', flexible: '1+' },
  {
    errorCode: int16,
    topics: array(
      struct({
        topicName: string,
        partitions: array(
          struct({ partitionIndex: int32, errorCode: int16, leaderId: int32, leaderEpoch: int32 }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({ nodeId: int32.in('1+'), host: string.in('1+'), port: uint16.in('1+') }),
    ).tag(0, '1+'),
  },
)
export type BeginQuorumEpochResponse = Of<typeof BeginQuorumEpochResponse>
