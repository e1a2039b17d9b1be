/** WriteShareGroupState, API key 85, versions 0-1. */
import { array, int16, int32, int64, int8, string, struct, uuid, message, type Of } from '../schema.ts'

export const WriteShareGroupStateRequest = message(
  { versions: '0-1', flexible: '0+' },
  {
    groupId: string,
    topics: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({
            partition: int32,
            stateEpoch: int32,
            leaderEpoch: int32,
            startOffset: int64,
            deliveryCompleteCount: int32.in('1+').or(-1),
            stateBatches: array(
              struct({ firstOffset: int64, lastOffset: int64, deliveryState: int8, deliveryCount: int16 }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type WriteShareGroupStateRequest = Of<typeof WriteShareGroupStateRequest>

export const WriteShareGroupStateResponse = message(
  { versions: '0-1', flexible: '0+' },
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
export type WriteShareGroupStateResponse = Of<typeof WriteShareGroupStateResponse>
