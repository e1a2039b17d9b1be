import { compilePattern } from '../coordination/pattern.ts'
import type { ListTransactionsRequest } from '../protocol/messages/66-list-transactions.ts'
import { transactionStates, type Transaction, type TransactionState } from './transaction.ts'
import type { Turn } from './turn.ts'

/** A transactional id as ListTransactions shows it. */
export interface ListedTransaction {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly transactionState: string
}

/** Which transactional ids are asked for. */
export interface TransactionFilter {
  /** The asked states that do not exist. */
  readonly unknownStates: string[]
  matches(transaction: Transaction, nowMs: number): boolean
}

/** Reads the filters of a ListTransactions. Throws INVALID_REGULAR_EXPRESSION; patterns are RE2's, as Kafka's are (KIP-1152). */
export function filterOf(request: ListTransactionsRequest): TransactionFilter {
  const states = new Set<string>(request.stateFilters)
  const producerIds = new Set(request.producerIdFilters)
  const durationMs = Number(request.durationFilter)
  const pattern = request.transactionalIdPattern
    ? compilePattern(request.transactionalIdPattern, reason => reason)
    : undefined
  return {
    unknownStates: [...states].filter(state => !transactionStates.includes(state as TransactionState)),
    matches({ transactionalId, facts }, nowMs) {
      if (states.size > 0 && !states.has(facts.state)) return false
      if (producerIds.size > 0 && !producerIds.has(facts.producerId)) return false
      if (durationMs >= 0 && nowMs - facts.startMs <= durationMs) return false
      return pattern === undefined || pattern.matches(transactionalId)
    },
  }
}

/** Decides what one partition adds to a ListTransactions (TransactionStateManager.listTransactionStates). */
export function list(turn: Turn, filter: TransactionFilter): ListedTransaction[] {
  return Array.from(turn.state.transactions.values())
    .filter(transaction => filter.matches(transaction, turn.nowMs))
    .map(({ transactionalId, facts }) => ({
      transactionalId,
      producerId: facts.producerId,
      transactionState: facts.state,
    }))
}
