import type { Batch } from '../protocol/records/batch.ts'
import type { AbortedTransactions } from '../storage/aborted-transactions.ts'

/** Whether a batch's records belong to a transaction that was aborted. */
export function isAborted(batch: Batch, aborted: AbortedTransactions): boolean {
  if (!batch.isTransactional) return false
  const { producerId, baseOffset } = batch
  const offset = Number(baseOffset)
  return aborted.between(offset, offset + 1).some(each => each.producerId === producerId)
}
