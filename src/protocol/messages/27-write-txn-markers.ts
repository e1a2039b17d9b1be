/** WriteTxnMarkers, API key 27, versions 1-2. */
import { array, bool, int16, int32, int64, int8, string, struct, message, type Of } from '../schema.ts'

export const WriteTxnMarkersRequest = message(
  { versions: '1-2', flexible: '1+' },
  {
    markers: array(
      struct({
        producerId: int64,
        producerEpoch: int16,
        transactionResult: bool,
        topics: array(struct({ name: string, partitionIndexes: array(int32) })),
        coordinatorEpoch: int32,
        transactionVersion: int8.in('2+').or(0),
      }),
    ),
  },
)
export type WriteTxnMarkersRequest = Of<typeof WriteTxnMarkersRequest>

export const WriteTxnMarkersResponse = message(
  { versions: '1-2', flexible: '1+' },
  {
    markers: array(
      struct({
        producerId: int64,
        topics: array(
          struct({ name: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }),
        ),
      }),
    ),
  },
)
export type WriteTxnMarkersResponse = Of<typeof WriteTxnMarkersResponse>
