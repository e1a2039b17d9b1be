/** ReadShareGroupStateSummary, API key 87, versions 0-1. */
import { array, int16, int32, int64, string, struct, uuid, message, type Of } from '../schema.ts'

export const ReadShareGroupStateSummaryRequest = message(
  { versions: '0-1', flexible: '0+' },
  {
    groupId: string,
    topics: array(
      struct({ topicId: uuid, partitions: array(struct({ partition: int32, leaderEpoch: int32 })) }),
    ),
  },
)
export type ReadShareGroupStateSummaryRequest = Of<typeof ReadShareGroupStateSummaryRequest>

export const ReadShareGroupStateSummaryResponse = message(
  { versions: '0-1', flexible: '0+' },
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
            leaderEpoch: int32,
            startOffset: int64,
            deliveryCompleteCount: int32.in('1+').or(-1),
          }),
        ),
      }),
    ),
  },
)
export type ReadShareGroupStateSummaryResponse = Of<typeof ReadShareGroupStateSummaryResponse>
