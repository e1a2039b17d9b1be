/** DeleteShareGroupState, API key 86, versions 0. */
import { array, int16, int32, string, struct, uuid, message, type Of } from '../schema.ts'

export const DeleteShareGroupStateRequest = message(
  { versions: '0', flexible: '0+' },
  {
    groupId: string,
    topics: array(struct({ topicId: uuid, partitions: array(struct({ partition: int32 })) })),
  },
)
export type DeleteShareGroupStateRequest = Of<typeof DeleteShareGroupStateRequest>

export const DeleteShareGroupStateResponse = message(
  { versions: '0', flexible: '0+' },
  {
    results: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({ partition: int32, errorCode: int16, errorMessage: string.nullable().or(null) }),
        ),
      }),
    ),
  },
)
export type DeleteShareGroupStateResponse = Of<typeof DeleteShareGroupStateResponse>
