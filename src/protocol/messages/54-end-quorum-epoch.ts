/** EndQuorumEpoch, API key 54, versions 0-1. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { array, int16, int32, string, struct, uint16, uuid, message, type Of } from '../schema.ts'

export const EndQuorumEpochRequest = message(
  { versions: '0-1', flexible: '1+' },
  {
    clusterId: string.nullable().or(null),
    topics: array(
      struct({
        topicName: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            leaderId: int32,
            leaderEpoch: int32,
            preferredSuccessors: array(int32).in('0'),
            preferredCandidates: array(
              struct({ candidateId: int32.in('1+'), candidateDirectoryId: uuid.in('1+') }),
            ).in('1+'),
          }),
        ),
      }),
    ),
    leaderEndpoints: array(
      struct({ name: string.in('1+'), host: string.in('1+'), port: uint16.in('1+') }),
    ).in('1+'),
  },
)
export type EndQuorumEpochRequest = Of<typeof EndQuorumEpochRequest>

export const EndQuorumEpochResponse = message(
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
export type EndQuorumEpochResponse = Of<typeof EndQuorumEpochResponse>
