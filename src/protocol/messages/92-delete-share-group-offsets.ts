/** DeleteShareGroupOffsets, API key 92, versions 0. */
import { array, int16, int32, string, struct, uuid, message, type Of } from '../schema.ts'

export const DeleteShareGroupOffsetsRequest = message(
  { versions: '0', flexible: '0+' },
  { groupId: string, topics: array(struct({ topicName: string })) },
)
export type DeleteShareGroupOffsetsRequest = Of<typeof DeleteShareGroupOffsetsRequest>

export const DeleteShareGroupOffsetsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    responses: array(
      struct({
        topicName: string,
        topicId: uuid,
        errorCode: int16,
        errorMessage: string.nullable().or(null),
      }),
    ),
  },
)
export type DeleteShareGroupOffsetsResponse = Of<typeof DeleteShareGroupOffsetsResponse>
