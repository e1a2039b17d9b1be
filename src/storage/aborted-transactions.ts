import type { AbortedTransaction } from './compaction/transaction-walk.ts'

/** An aborted transaction as the log keeps it (Kafka's AbortedTxn). */
export interface AbortedEntry extends AbortedTransaction {
  /** The last stable offset that its end left: every transaction that ended later began there or behind. */
  readonly lastStableOffset: number
}

/**
 * The aborted transactions of a partition, in the order of their markers (Kafka's TransactionIndex). It only grows; what is no
 * longer there is left out of another one, so that whoever is reading still has what belongs to the bytes.
 */
export class AbortedTransactions {
  readonly #entries: AbortedEntry[]

  constructor(entries: AbortedEntry[] = []) {
    this.#entries = entries
  }

  get entries(): readonly AbortedEntry[] {
    return this.#entries
  }

  /** Takes in one that ended behind all others. */
  add(entry: AbortedEntry): void {
    this.#entries.push(entry)
  }

  /** Those that reach into the offsets from `from` to before `to` (TransactionIndex.collectAbortedTxns). */
  between(from: number, to: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (let index = this.#firstEndingFrom(from); index < this.#entries.length; index++) {
      const { producerId, firstOffset, lastOffset, lastStableOffset } = this.#entries[index]!
      if (firstOffset < to) found.push({ producerId, firstOffset, lastOffset })
      if (lastStableOffset >= to) break
    }
    return found
  }

  /** The index of the first that ended at or behind `offset`. */
  #firstEndingFrom(offset: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.lastOffset >= offset) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Those that ended at or behind the log start. */
  endingFrom(logStart: number): AbortedTransactions {
    const first = this.#firstEndingFrom(logStart)
    return first === 0 ? this : new AbortedTransactions(this.#entries.slice(first))
  }

  /** Those of which the marker is at none of these offsets. */
  without(markers: ReadonlySet<number>): AbortedTransactions {
    if (markers.size === 0) return this
    return new AbortedTransactions(this.#entries.filter(({ lastOffset }) => !markers.has(lastOffset)))
  }
}
