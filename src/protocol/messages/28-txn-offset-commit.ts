/** TxnOffsetCommit, API key 28, versions 0-5. */
import { array, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const TxnOffsetCommitRequest = message(
  { versions: '0-5', flexible: '3+' },
  {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: int32.in('3+').or(-1),
    memberId: string.in('3+').or(''),
    groupInstanceId: string.nullable().in('3+').or(null),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: int32.in('2+').or(-1),
            committedMetadata: string.nullable(),
          }),
        ),
      }),
    ),
  },
)
export type TxnOffsetCommitRequest = Of<typeof TxnOffsetCommitRequest>

export const TxnOffsetCommitResponse = message(
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32.or(0),
    topics: array(
      struct({ name: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }),
    ),
  },
)
export type TxnOffsetCommitResponse = Of<typeof TxnOffsetCommitResponse>
