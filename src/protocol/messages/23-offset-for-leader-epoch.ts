/** OffsetForLeaderEpoch, API key 23, versions 2-4. */
import { array, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const OffsetForLeaderEpochRequest = message(
  { versions: '2-4', flexible: '4+' },
  {
    replicaId: int32.in('3+').or(-2),
    topics: array(
      struct({
        topic: string,
        partitions: array(struct({ partition: int32, currentLeaderEpoch: int32.or(-1), leaderEpoch: int32 })),
      }),
    ),
  },
)
export type OffsetForLeaderEpochRequest = Of<typeof OffsetForLeaderEpochRequest>

export const OffsetForLeaderEpochResponse = message(
  { versions: '2-4', flexible: '4+' },
  {
    throttleTimeMs: int32.or(0),
    topics: array(
      struct({
        topic: string,
        partitions: array(
          struct({ errorCode: int16, partition: int32, leaderEpoch: int32.or(-1), endOffset: int64.or(-1n) }),
        ),
      }),
    ),
  },
)
export type OffsetForLeaderEpochResponse = Of<typeof OffsetForLeaderEpochResponse>
