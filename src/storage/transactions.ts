import { AbortedTransactions, type AbortedEntry } from './aborted-transactions.ts'

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

/** What most partitions have open, for good: one for all of them, since thousands of empty maps are memory to go through. */
const nothing = new Map<bigint, number>()

/**
 * The transactions of one partition: which are open, which ended and cannot be seen yet, and which were aborted (Kafka's
 * ProducerStateManager).
 */
export class Transactions {
  /** The first offset of each producer's, the earliest first, as they were begun. */
  #open = nothing
  /** Those whose marker may not be visible yet, in the order of the markers (Kafka's unreplicated transactions). */
  readonly #ended: Ended[] = []
  #aborted = new AbortedTransactions()

  /** Where a producer's open transaction began; undefined where it has none. */
  openSince(producerId: bigint): number | undefined {
    return this.#open === nothing ? undefined : this.#open.get(producerId)
  }

  /** Those that are open, in the order of their first offsets. */
  *open(): Generator<OpenTransaction, void, void> {
    for (const [producerId, firstOffset] of this.#open) yield { producerId, firstOffset }
  }

  /** Those that were aborted, as of now and with what comes. */
  get aborted(): AbortedTransactions {
    return this.#aborted
  }

  /** Notes a transactional batch: it begins a transaction where none is open. */
  note(producerId: bigint, baseOffset: number): void {
    if (!this.#open.has(producerId)) this.#begin(producerId, baseOffset)
  }

  #begin(producerId: bigint, firstOffset: number): void {
    if (this.#open === nothing) this.#open = new Map()
    this.#open.set(producerId, firstOffset)
  }

  /** Notes a marker; one of a producer that has nothing open changes nothing. */
  end(producerId: bigint, lastOffset: number, isAborted: boolean): void {
    const firstOffset = this.#open.get(producerId)
    if (firstOffset === undefined) return
    this.#open.delete(producerId)
    this.#ended.push({ firstOffset, lastOffset })
    if (!isAborted) return
    const lastStableOffset = this.#firstOpen() ?? lastOffset + 1
    this.#aborted.add({ producerId, firstOffset, lastOffset, lastStableOffset })
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

  /** Forgets what was aborted before the log start. */
  trim(logStart: number): void {
    this.#aborted = this.#aborted.endingFrom(logStart)
  }

  /** The producers whose open transaction began before `offset`. */
  openBefore(offset: number): bigint[] {
    const found: bigint[] = []
    for (const [producerId, firstOffset] of this.#open) {
      if (firstOffset >= offset) break
      found.push(producerId)
    }
    return found
  }

  /** What these producers had open begins where `firstOffsets` says, since what came before is gone; where it says nothing, all of it is. */
  beginAt(producerIds: readonly bigint[], firstOffsets: ReadonlyMap<bigint, number>): void {
    for (const producerId of producerIds) {
      const firstOffset = firstOffsets.get(producerId)
      if (firstOffset === undefined) this.#open.delete(producerId)
      else this.#open.set(producerId, firstOffset)
    }
    const ordered = [...this.#open].toSorted(([, left], [, right]) => left - right)
    this.#open.clear()
    for (const [id, offset] of ordered) this.#begin(id, offset)
  }

  /** Forgets what was aborted with markers at these offsets, since none of its data is left. */
  forgetAborted(markers: ReadonlySet<number>): void {
    this.#aborted = this.#aborted.without(markers)
  }

  /** Everything that was noted until now is visible from here on. */
  settle(): void {
    this.#ended.length = 0
  }

  /** Puts in their place what a checkpoint knew; each in its order. */
  restore(open: readonly OpenTransaction[], aborted: readonly AbortedEntry[]): void {
    for (const { producerId, firstOffset } of open) this.#begin(producerId, firstOffset)
    this.#aborted = new AbortedTransactions([...aborted])
  }
}
