/** OffsetDelete, API key 47, versions 0. */
import { array, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const OffsetDeleteRequest = message(
  { versions: '0', flexible: 'none' },
  {
    groupId: string,
    topics: array(struct({ name: string, partitions: array(struct({ partitionIndex: int32 })) })),
  },
)
export type OffsetDeleteRequest = Of<typeof OffsetDeleteRequest>

export const OffsetDeleteResponse = message(
  { versions: '0', flexible: 'none' },
  {
    errorCode: int16,
    throttleTimeMs: int32.or(0),
    topics: array(
      struct({ name: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }),
    ),
  },
)
export type OffsetDeleteResponse = Of<typeof OffsetDeleteResponse>
