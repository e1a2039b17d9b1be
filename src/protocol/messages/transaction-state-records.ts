/** Records of __transaction_state. A key stands behind its record type as int16 (0 TransactionLog), a value behind its version as int16. */
import { array, int16, int32, int64, int8, string, struct, message, type Of } from '../schema.ts'

export const TransactionLogKey = message({ versions: '0', flexible: 'none' }, { transactionalId: string })
export type TransactionLogKey = Of<typeof TransactionLogKey>

export const TransactionLogValue = message(
  { versions: '0-1', flexible: '1+' },
  {
    producerId: int64,
    previousProducerId: int64.or(-1n).tag(0, '1+'),
    nextProducerId: int64.or(-1n).tag(1, '1+'),
    producerEpoch: int16,
    nextProducerEpoch: int16.or(-1).tag(3, '1+'),
    transactionTimeoutMs: int32,
    transactionStatus: int8,
    transactionPartitions: array(struct({ topic: string, partitionIds: array(int32) })).nullable(),
    transactionLastUpdateTimestampMs: int64,
    transactionStartTimestampMs: int64,
    clientTransactionVersion: int16.or(0).tag(2, '1+'),
  },
)
export type TransactionLogValue = Of<typeof TransactionLogValue>
