/** ListOffsets, API key 2, versions 1-11. */
import { array, int16, int32, int64, int8, string, struct, message, type Of } from '../schema.ts'

export const ListOffsetsRequest = message(
  { versions: '1-11', flexible: '6+' },
  {
    replicaId: int32,
    isolationLevel: int8.in('2+'),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({ partitionIndex: int32, currentLeaderEpoch: int32.in('4+').or(-1), timestamp: int64 }),
        ),
      }),
    ),
    timeoutMs: int32.in('10+'),
  },
)
export type ListOffsetsRequest = Of<typeof ListOffsetsRequest>

export const ListOffsetsResponse = message(
  { versions: '1-11', flexible: '6+' },
  {
    throttleTimeMs: int32.in('2+').or(0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            timestamp: int64.or(-1n),
            offset: int64.or(-1n),
            leaderEpoch: int32.in('4+').or(-1),
          }),
        ),
      }),
    ),
  },
)
export type ListOffsetsResponse = Of<typeof ListOffsetsResponse>
