/** DescribeProducers, API key 61, versions 0. */
import { array, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const DescribeProducersRequest = message(
  { versions: '0', flexible: '0+' },
  { topics: array(struct({ name: string, partitionIndexes: array(int32) })) },
)
export type DescribeProducersRequest = Of<typeof DescribeProducersRequest>

export const DescribeProducersResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            errorMessage: string.nullable().or(null),
            activeProducers: array(
              struct({
                producerId: int64,
                producerEpoch: int32,
                lastSequence: int32.or(-1),
                lastTimestamp: int64.or(-1n),
                coordinatorEpoch: int32,
                currentTxnStartOffset: int64.or(-1n),
              }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type DescribeProducersResponse = Of<typeof DescribeProducersResponse>
