/** DeleteRecords, API key 21, versions 0-2. */
import { array, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const DeleteRecordsRequest = message(
  { versions: '0-2', flexible: '2+' },
  {
    topics: array(
      struct({ name: string, partitions: array(struct({ partitionIndex: int32, offset: int64 })) }),
    ),
    timeoutMs: int32,
  },
)
export type DeleteRecordsRequest = Of<typeof DeleteRecordsRequest>

export const DeleteRecordsResponse = message(
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ partitionIndex: int32, lowWatermark: int64, errorCode: int16 })),
      }),
    ),
  },
)
export type DeleteRecordsResponse = Of<typeof DeleteRecordsResponse>
