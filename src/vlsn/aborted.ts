import type { Batch } from '../protocol/records/batch.ts'
import type { PartitionLog } from '../storage/partition-log.ts'

/** The offsets of a producer's transaction that was aborted. */
export interface Aborted {
  readonly producerId: bigint
  readonly firstOffset: number
  readonly lastOffset: number
}

interface Transactional {
  abortedTransactions?(from: bigint, to: bigint): readonly Aborted[]
}

/** The aborted transactions that reach into these offsets of a partition. */
export function abortedIn(log: PartitionLog & Transactional, from: bigint, to: bigint): readonly Aborted[] {
  return log.abortedTransactions?.(from, to) ?? []
}

/** Whether a batch's records belong to one of these. */
export function isAbortedIn(aborted: readonly Aborted[], batch: Batch): boolean {
  if (aborted.length === 0 || !batch.isTransactional) return false
  const { producerId, baseOffset } = batch
  const offset = Number(baseOffset)
  return aborted.some(
    each => each.producerId === producerId && each.firstOffset <= offset && offset <= each.lastOffset,
  )
}
