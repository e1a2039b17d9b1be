/** DescribeTransactions, API key 65, versions 0. */
import { array, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const DescribeTransactionsRequest = message(
  { versions: '0', flexible: '0+' },
  { transactionalIds: array(string) },
)
export type DescribeTransactionsRequest = Of<typeof DescribeTransactionsRequest>

export const DescribeTransactionsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    transactionStates: array(
      struct({
        errorCode: int16,
        transactionalId: string,
        transactionState: string,
        transactionTimeoutMs: int32,
        transactionStartTimeMs: int64,
        producerId: int64,
        producerEpoch: int16,
        topics: array(struct({ topic: string, partitions: array(int32) })),
      }),
    ),
  },
)
export type DescribeTransactionsResponse = Of<typeof DescribeTransactionsResponse>
