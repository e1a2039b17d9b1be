/** ReadShareGroupState, API key 84, versions 0. */
import { array, int16, int32, int64, int8, string, struct, uuid, message, type Of } from '../schema.ts'

export const ReadShareGroupStateRequest = message(
  { versions: '0', flexible: '0+' },
  {
    groupId: string,
    topics: array(
      struct({ topicId: uuid, partitions: array(struct({ partition: int32, leaderEpoch: int32 })) }),
    ),
  },
)
export type ReadShareGroupStateRequest = Of<typeof ReadShareGroupStateRequest>

export const ReadShareGroupStateResponse = message(
  { versions: '0', flexible: '0+' },
  {
    results: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({
            partition: int32,
            errorCode: int16,
            errorMessage: string.nullable().or(null),
            stateEpoch: int32,
            startOffset: int64,
            stateBatches: array(
              struct({ firstOffset: int64, lastOffset: int64, deliveryState: int8, deliveryCount: int16 }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type ReadShareGroupStateResponse = Of<typeof ReadShareGroupStateResponse>
