/** Vote, API key 52, versions 0-2. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import {
  array,
  bool,
  int16,
  int32,
  int64,
  string,
  struct,
  uint16,
  uuid,
  message,
  type Of,
} from '../schema.ts'

export const VoteRequest = message(
  { versions: '0-2', flexible: '0+' },
  {
    clusterId: string.nullable().or(null),
    voterId: int32.in('1+').or(-1),
    topics: array(
      struct({
        topicName: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            replicaEpoch: int32,
            replicaId: int32,
            replicaDirectoryId: uuid.in('1+'),
            voterDirectoryId: uuid.in('1+'),
            lastOffsetEpoch: int32,
            lastOffset: int64,
            preVote: bool.in('2+'),
          }),
        ),
      }),
    ),
  },
)
export type VoteRequest = Of<typeof VoteRequest>

export const VoteResponse = message(
  { versions: '0-2', flexible: '0+' },
  {
    errorCode: int16,
    topics: array(
      struct({
        topicName: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            leaderId: int32,
            leaderEpoch: int32,
            voteGranted: bool,
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({ nodeId: int32.in('1+'), host: string.in('1+'), port: uint16.in('1+') }),
    ).tag(0, '1+'),
  },
)
export type VoteResponse = Of<typeof VoteResponse>
