import type { AbortedTransaction } from './compaction/transaction-walk.ts'

/** An aborted transaction as the log keeps it (Kafka's AbortedTxn). */
export interface AbortedEntry extends AbortedTransaction {
  /** The last stable offset that its end left: every transaction that ended later began there or behind. */
  readonly lastStableOffset: number
}

/** A transaction of which data is in the log and no marker yet. */
export interface OpenTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/** The offsets of a transaction from its first batch to its marker. */
interface Ended {
  readonly firstOffset: number
  readonly lastOffset: number
}

/**
 * The transactions of one partition: which are open, which ended and cannot be seen yet, and which were aborted (Kafka's
 * ProducerStateManager and TransactionIndex).
 */
export class Transactions {
  /** The first offset of each producer's, the earliest first, as they were begun. */
  readonly #open = new Map<bigint, number>()
  /** Those whose marker may not be visible yet, in the order of the markers (Kafka's unreplicated transactions). */
  readonly #ended: Ended[] = []
  /** In the order of the markers. */
  #aborted: AbortedEntry[] = []

  /** Where a producer's open transaction began; undefined where it has none. */
  openSince(producerId: bigint): number | undefined {
    return this.#open.size === 0 ? undefined : this.#open.get(producerId)
  }

  /** Those that are open, in the order of their first offsets. */
  *open(): Generator<OpenTransaction, void, void> {
    for (const [producerId, firstOffset] of this.#open) yield { producerId, firstOffset }
  }

  /** Those that were aborted, in the order of their markers. */
  get aborted(): readonly AbortedEntry[] {
    return this.#aborted
  }

  /** Notes a transactional batch: it begins a transaction where none is open. */
  note(producerId: bigint, baseOffset: number): void {
    if (!this.#open.has(producerId)) this.#open.set(producerId, baseOffset)
  }

  /** Notes a marker; one of a producer that has nothing open changes nothing. */
  end(producerId: bigint, lastOffset: number, isAborted: boolean): void {
    const firstOffset = this.#open.get(producerId)
    if (firstOffset === undefined) return
    this.#open.delete(producerId)
    this.#ended.push({ firstOffset, lastOffset })
    if (!isAborted) return
    const lastStableOffset = this.#firstOpen() ?? lastOffset + 1
    this.#aborted.push({ producerId, firstOffset, lastOffset, lastStableOffset })
  }

  /** The first offset of the earliest transaction that is open, or whose marker is not below `end`; else `end`. */
  stableBelow(end: number): number {
    this.#forgetEnded(end)
    let stable = Math.min(end, this.#firstOpen() ?? end)
    for (const { firstOffset } of this.#ended) stable = Math.min(stable, firstOffset)
    return stable
  }

  #forgetEnded(end: number): void {
    const ended = this.#ended
    while (ended.length > 0 && ended[0]!.lastOffset < end) ended.shift()
  }

  #firstOpen(): number | undefined {
    return this.#open.size === 0 ? undefined : this.#open.values().next().value
  }

  /** What was aborted and reaches into the offsets from `from` to before `to` (TransactionIndex.collectAbortedTxns). */
  abortedBetween(from: number, to: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (let index = this.#firstEndingFrom(from); index < this.#aborted.length; index++) {
      const { producerId, firstOffset, lastOffset, lastStableOffset } = this.#aborted[index]!
      if (firstOffset < to) found.push({ producerId, firstOffset, lastOffset })
      if (lastStableOffset >= to) break
    }
    return found
  }

  /** The index of the first that was aborted at or behind `offset`. */
  #firstEndingFrom(offset: number): number {
    let low = 0
    let high = this.#aborted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#aborted[middle]!.lastOffset >= offset) high = middle
      else low = middle + 1
    }
    return low
  }

  /**
   * Forgets what lies before the log start: what was aborted there, and what is open with nothing behind it. `lastOffsetOf` says where
   * the producer of an open transaction last wrote.
   */
  trim(logStart: number, lastOffsetOf: (producerId: bigint) => number): void {
    if (this.#aborted.length > 0) this.#aborted.splice(0, this.#firstEndingFrom(logStart))
    for (const [producerId, firstOffset] of this.#open) {
      if (firstOffset >= logStart) return
      if (lastOffsetOf(producerId) < logStart) this.#open.delete(producerId)
    }
  }

  /** Forgets what was aborted with markers at these offsets, since none of its data is left. */
  forgetAborted(markers: ReadonlySet<number>): void {
    if (markers.size > 0) this.#aborted = this.#aborted.filter(({ lastOffset }) => !markers.has(lastOffset))
  }

  /** Everything that was noted until now is visible from here on. */
  settle(): void {
    this.#ended.length = 0
  }

  /** Puts in their place what a checkpoint knew; each in its order. */
  restore(open: readonly OpenTransaction[], aborted: readonly AbortedEntry[]): void {
    for (const { producerId, firstOffset } of open) this.#open.set(producerId, firstOffset)
    this.#aborted = [...aborted]
  }
}
