/** InitializeShareGroupState, API key 83, versions 0. */
import { array, int16, int32, int64, string, struct, uuid, message, type Of } from '../schema.ts'

export const InitializeShareGroupStateRequest = message(
  { versions: '0', flexible: '0+' },
  {
    groupId: string,
    topics: array(
      struct({
        topicId: uuid,
        partitions: array(struct({ partition: int32, stateEpoch: int32, startOffset: int64 })),
      }),
    ),
  },
)
export type InitializeShareGroupStateRequest = Of<typeof InitializeShareGroupStateRequest>

export const InitializeShareGroupStateResponse = message(
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
export type InitializeShareGroupStateResponse = Of<typeof InitializeShareGroupStateResponse>
