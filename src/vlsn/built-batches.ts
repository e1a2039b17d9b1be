import type { Cancel, Clock } from '../base/clock.ts'
import type { Slabs } from '../base/slabs.ts'
import { Merge, type BuiltBatch } from './merge.ts'
import type { VlsnTopic } from './vlsn-topic.ts'

/** Bytes of batches that one view keeps. */
const keptLengthMax = 8 * 1024 * 1024
/** A batch that is not so long was built at the end or for somebody who came from nowhere: the next one may have a longer one. */
export const lengthKept = 64 * 1024
/** How many readers' places are remembered, so that each goes on where it was: more while they hold few bytes of the log together. */
const mergesMin = 4
const mergesMax = 16
const heldLengthMax = 32 * 1024 * 1024
/** A view that nobody has read for so long holds nothing. */
const idleMsMax = 5000

/** One that is being built, and how many wait for it. */
interface Building {
  readonly batch: Promise<BuiltBatch | undefined>
  readers: number
}

/** The batches of a view that were built lately, and the places where readers left off. */
export class BuiltBatches {
  readonly #topic: VlsnTopic
  readonly #slabs: Slabs
  readonly #clock: Clock
  /** The one that was built first comes first. */
  #kept: BuiltBatch[] = []
  #length = 0
  /** By the VLSN that each goes on from, with what it holds; the one used last comes last. */
  readonly #merges = new Map<bigint, { readonly merge: Merge; readonly lengthHeld: number }>()
  #lengthHeld = 0
  /** What is being built, by where it begins. */
  readonly #building = new Map<bigint, Building>()
  #usedAtMs = 0
  #cancelSweep: Cancel | undefined
  #isClosed = false

  constructor(topic: VlsnTopic, { slabs, clock }: { readonly slabs: Slabs; readonly clock: Clock }) {
    this.#topic = topic
    this.#slabs = slabs
    this.#clock = clock
  }

  /** A kept batch that stands for `vlsn`, held for whoever asks. */
  find(vlsn: bigint): BuiltBatch | undefined {
    this.#usedAtMs = this.#clock.monotonic()
    const kept = this.#kept.findLast(({ from, to }) => from <= vlsn && vlsn < to)
    kept?.region.retain()
    return kept
  }

  /**
   * The batch of the records from `from` to before `end`, or of the first of them, held for whoever asks; undefined where there is
   * none. It has at most `lengthMax` bytes, or one record where `atLeastOne`, unless somebody else has asked for it first.
   */
  build(from: bigint, end: bigint, lengthMax: number, atLeastOne: boolean): Promise<BuiltBatch | undefined> {
    let building = this.#building.get(from)
    if (building) building.readers++
    else {
      building = { batch: this.#build(from, end, lengthMax, atLeastOne), readers: 1 }
      this.#building.set(from, building)
    }
    return building.batch
  }

  async #build(
    from: bigint,
    end: bigint,
    lengthMax: number,
    atLeastOne: boolean,
  ): Promise<BuiltBatch | undefined> {
    const merge = this.#take(from) ?? new Merge(this.#topic, this.#slabs, from)
    let batch: BuiltBatch | undefined
    try {
      batch = await merge.build(end, lengthMax, atLeastOne)
    } catch (error) {
      merge.release()
      throw error
    } finally {
      const { readers } = this.#building.get(from)!
      this.#building.delete(from)
      for (let each = 1; each < readers; each++) batch?.region.retain()
    }
    this.#remember(merge)
    if (batch && batch.region.bytes.length >= lengthKept) this.#keep(batch)
    return batch
  }

  #keep(batch: BuiltBatch): void {
    if (this.#isClosed) return
    batch.region.retain()
    this.#kept.push(batch)
    this.#length += batch.region.bytes.length
    while (this.#length > keptLengthMax && this.#kept.length > 1) {
      const { region } = this.#kept.shift()!
      this.#length -= region.bytes.length
      region.release()
    }
  }

  #take(next: bigint): Merge | undefined {
    const place = this.#merges.get(next)
    if (!place) return undefined
    this.#merges.delete(next)
    this.#lengthHeld -= place.lengthHeld
    return place.merge
  }

  #remember(merge: Merge): void {
    if (this.#isClosed) {
      merge.release()
      return
    }
    const { next, lengthHeld } = merge
    // Two readers came to the same place.
    this.#take(next)?.release()
    this.#merges.set(next, { merge, lengthHeld })
    this.#lengthHeld += lengthHeld
    for (const oldest of this.#merges.keys()) {
      const { size } = this.#merges
      if (size <= mergesMin || (size <= mergesMax && this.#lengthHeld <= heldLengthMax)) break
      this.#take(oldest)!.release()
    }
    this.#cancelSweep ??= this.#clock.after(idleMsMax, () => this.#sweep())
  }

  #sweep(): void {
    this.#cancelSweep = undefined
    const idleMs = this.#clock.monotonic() - this.#usedAtMs
    if (idleMs >= idleMsMax) this.#forgetAll()
    else this.#cancelSweep = this.#clock.after(idleMsMax - idleMs, () => this.#sweep())
  }

  #forgetAll(): void {
    for (const next of this.#merges.keys()) this.#take(next)!.release()
    for (const { region } of this.#kept) region.release()
    this.#kept = []
    this.#length = 0
  }

  /** Gives back everything. */
  close(): void {
    this.#isClosed = true
    this.#cancelSweep?.()
    this.#forgetAll()
  }
}
