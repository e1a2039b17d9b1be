import type { CoordinatedState } from '../coordination/state.ts'
import { readRecord } from './records.ts'
import { Transaction } from './transaction.ts'

/** What one partition of `__transaction_state` says: its transactional ids. */
export class PartitionState implements CoordinatedState {
  readonly transactions = new Map<string, Transaction>()

  replay(key: Buffer, value: Buffer | null): void {
    const record = readRecord(key, value)
    if (!record) return
    const { transactionalId, facts } = record
    const transaction = this.transactions.get(transactionalId)
    if (facts === null) this.transactions.delete(transactionalId)
    else if (transaction) transaction.facts = facts
    else this.transactions.set(transactionalId, new Transaction(transactionalId, facts))
  }

  /** Nobody waits in here, and nothing is timed: both are the coordinator's. */
  dispose(): void {}
}
