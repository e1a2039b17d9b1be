import { Merge, type BuiltBatch } from './merge.ts'
import type { VlsnTopic } from './vlsn-topic.ts'

/** Bytes of batches that one view keeps. */
const lengthMax = 8 * 1024 * 1024
/** A batch that is not so long was built at the end or for somebody who came from nowhere: the next one may have a longer one. */
export const lengthKept = 64 * 1024
/** How many readers' places are remembered, so that each goes on where it was. */
const mergesMax = 4

/** The batches of a view that were built lately, and the places where readers left off. */
export class BuiltBatches {
  readonly #topic: VlsnTopic
  /** The one that was built first comes first. */
  readonly #kept: BuiltBatch[] = []
  #length = 0
  /** By the VLSN that each goes on from; the one used last comes last. */
  readonly #merges = new Map<bigint, Merge>()
  /** What is being built, by where it begins. */
  readonly #building = new Map<bigint, Promise<BuiltBatch | undefined>>()

  constructor(topic: VlsnTopic) {
    this.#topic = topic
  }

  /** A kept batch that stands for `vlsn`. */
  find(vlsn: bigint): BuiltBatch | undefined {
    return this.#kept.findLast(({ from, to }) => from <= vlsn && vlsn < to)
  }

  /**
   * The batch of the records from `from` to before `end`, or of the first of them, of some `lengthMax` bytes; undefined where there
   * are none.
   */
  build(from: bigint, end: bigint, lengthMax: number): Promise<BuiltBatch | undefined> {
    const kept = this.find(from)
    if (kept) return Promise.resolve(kept)
    let building = this.#building.get(from)
    if (!building) {
      building = this.#build(from, end, lengthMax).finally(() => this.#building.delete(from))
      this.#building.set(from, building)
    }
    return building
  }

  async #build(from: bigint, end: bigint, lengthMax: number): Promise<BuiltBatch | undefined> {
    const merge = this.#merges.get(from) ?? new Merge(this.#topic, from)
    this.#merges.delete(from)
    const batch = await merge.build(end, lengthMax)
    if (this.#merges.size >= mergesMax) {
      const [oldest] = this.#merges.keys()
      this.#merges.delete(oldest!)
    }
    this.#merges.set(merge.next, merge)
    if (batch && batch.bytes.length >= lengthKept) this.#keep(batch)
    return batch
  }

  #keep(batch: BuiltBatch): void {
    this.#kept.push(batch)
    this.#length += batch.bytes.length
    while (this.#length > lengthMax && this.#kept.length > 1) this.#length -= this.#kept.shift()!.bytes.length
  }
}
