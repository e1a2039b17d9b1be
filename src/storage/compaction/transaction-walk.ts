import type { Batch } from '../../protocol/records/batch.ts'

/** A transaction that was aborted, in one partition (Kafka's AbortedTxn). */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
  /** The offset of its marker. */
  readonly lastOffset: number
}

/**
 * What a walk over a partition's batches in offset order knows of their transactions (Kafka's CleanedTransactionMetadata). A walk
 * that judges markers starts at the log start: a marker outlives all data of its transaction.
 */
export class TransactionWalk {
  /** Those still ahead for each producer, the first one last. */
  readonly #aborted = new Map<bigint, AbortedTransaction[]>()
  /** Producers of which data came by and no marker since. */
  readonly #open = new Set<bigint>()

  /** `aborted` holds at least those that reach into the batches to come. */
  constructor(aborted: readonly AbortedTransaction[] = []) {
    for (const each of aborted.toSorted((a, b) => b.firstOffset - a.firstOffset)) {
      const ofProducer = this.#aborted.get(each.producerId)
      if (ofProducer) ofProducer.push(each)
      else this.#aborted.set(each.producerId, [each])
    }
  }

  /**
   * Takes in the next batch, of which only the header is looked at. True where transactions have no more use for it: data that was
   * aborted, or a marker behind which no data of its transaction is left.
   */
  pass(batch: Batch): boolean {
    if (!batch.isTransactional) return false
    const { producerId } = batch
    if (batch.isControl) return !this.#open.delete(producerId)
    this.#open.add(producerId)
    return this.#isAborted(producerId, Number(batch.baseOffset))
  }

  #isAborted(producerId: bigint, offset: number): boolean {
    const ahead = this.#aborted.get(producerId)
    if (!ahead) return false
    while (ahead.length > 0 && ahead.at(-1)!.lastOffset < offset) ahead.pop()
    return ahead.length > 0 && ahead.at(-1)!.firstOffset <= offset
  }
}
