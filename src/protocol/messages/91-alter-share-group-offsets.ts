/** AlterShareGroupOffsets, API key 91, versions 0. */
import { array, int16, int32, int64, string, struct, uuid, message, type Of } from '../schema.ts'

export const AlterShareGroupOffsetsRequest = message(
  { versions: '0', flexible: '0+' },
  {
    groupId: string,
    topics: array(
      struct({ topicName: string, partitions: array(struct({ partitionIndex: int32, startOffset: int64 })) }),
    ),
  },
)
export type AlterShareGroupOffsetsRequest = Of<typeof AlterShareGroupOffsetsRequest>

export const AlterShareGroupOffsetsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    responses: array(
      struct({
        topicName: string,
        topicId: uuid,
        partitions: array(
          struct({ partitionIndex: int32, errorCode: int16, errorMessage: string.nullable().or(null) }),
        ),
      }),
    ),
  },
)
export type AlterShareGroupOffsetsResponse = Of<typeof AlterShareGroupOffsetsResponse>
