import { fence } from './end.ts'
import { needsProducerId } from './identity.ts'
import { transactionRecord } from './records.ts'
import type { Turn } from './turn.ts'

/** The ids of transactions that took longer than their producers asked for. */
export function timedOut(turn: Turn): string[] {
  return Array.from(turn.state.transactions.values())
    .filter(transaction => transaction.isTimedOut(turn.nowMs))
    .map(({ transactionalId }) => transactionalId)
}

/** Decides the abort of a transaction that still takes too long. */
export function abortTimedOut(
  turn: Turn,
  transactionalId: string,
  newProducerId: bigint | undefined,
): typeof needsProducerId | undefined {
  const transaction = turn.state.transactions.get(transactionalId)
  if (!transaction?.isTimedOut(turn.nowMs)) return undefined
  return fence(turn, transaction, newProducerId) === needsProducerId ? needsProducerId : undefined
}

/** Decides which ids are forgotten, since nobody has used them for so long. */
export function removeExpired(turn: Turn): void {
  const { transactionalIdExpirationMs } = turn.environment.settings
  for (const transaction of Array.from(turn.state.transactions.values())) {
    if (transaction.isExpired(turn.nowMs, transactionalIdExpirationMs))
      turn.write(transactionRecord(transaction.transactionalId, null))
  }
}
