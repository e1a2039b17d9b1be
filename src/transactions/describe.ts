import { errorCodes } from '../protocol/errors.ts'
import type { DescribeTransactionsResponse } from '../protocol/messages/65-describe-transactions.ts'
import type { Draft } from '../protocol/schema.ts'
import { none } from './transaction.ts'
import type { Turn } from './turn.ts'

export type DescribedTransaction = Draft<typeof DescribeTransactionsResponse>['transactionStates'][number]

/** One id of DescribeTransactions (TransactionCoordinator.handleDescribeTransactions). */
export function describe(turn: Turn, transactionalId: string): DescribedTransaction {
  const transaction = turn.state.transactions.get(transactionalId)
  if (!transaction) return undescribed(transactionalId, errorCodes.TRANSACTIONAL_ID_NOT_FOUND)
  const { facts } = transaction
  return {
    errorCode: errorCodes.NONE,
    transactionalId,
    transactionState: facts.state,
    transactionTimeoutMs: facts.timeoutMs,
    transactionStartTimeMs: BigInt(facts.startMs),
    producerId: facts.producerId,
    producerEpoch: facts.producerEpoch,
    topics: Array.from(facts.partitions.byTopic(), ([topic, partitions]) => ({
      topic,
      partitions: [...partitions],
    })),
  }
}

/** What is said of an id of which nothing can be said. */
export function undescribed(transactionalId: string, errorCode: number): DescribedTransaction {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: BigInt(none.timestampMs),
    producerId: none.producerId,
    producerEpoch: none.epoch,
    topics: [],
  }
}
