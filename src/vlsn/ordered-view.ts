import type { Cancel, Clock } from '../base/clock.ts'
import type { Region, Slabs } from '../base/slabs.ts'
import { KafkaError } from '../protocol/errors.ts'
import { AbortedTransactions } from '../storage/aborted-transactions.ts'
import type { EpochEnd, ReadablePartition, TimestampOffset } from '../storage/readable-partition.ts'
import { joinAdjacent } from '../storage/pieces.ts'
import type { ReadOptions, Slice } from '../storage/reading.ts'
import { BuiltBatches, lengthKept } from './built-batches.ts'
import { greatestTimestamp, recordAtOrAfter } from './view-timestamps.ts'
import type { BuiltBatch } from './merge.ts'
import type { VlsnTopic } from './vlsn-topic.ts'

const noneAborted = new AbortedTransactions()

/**
 * All partitions of a VLSN topic as one whose offsets are the VLSNs: from the start of the topic to the end of its gapless prefix, in
 * their order. What was read once reads the same for ever, since nothing is taken in below the end.
 */
export class OrderedView implements ReadablePartition {
  readonly #topic: VlsnTopic
  readonly #batches: BuiltBatches

  constructor(topic: VlsnTopic, services: { readonly slabs: Slabs; readonly clock: Clock }) {
    this.#topic = topic
    this.#batches = new BuiltBatches(topic, services)
  }

  get isOver(): boolean {
    return this.#topic.partitions[0]!.log.isOver
  }

  /** Rises with each start of the broker, as that of the first partition. */
  get leaderEpoch(): number {
    return this.#topic.partitions[0]!.log.leaderEpoch
  }

  get logStartOffset(): bigint {
    return this.#topic.start
  }

  get logEndOffset(): bigint {
    return this.#topic.end
  }

  get highWatermark(): bigint {
    return this.#topic.end
  }

  get lastStableOffset(): bigint {
    return this.#topic.end
  }

  /** Theirs are not in it. */
  get aborted(): AbortedTransactions {
    return noneAborted
  }

  read(offset: bigint, { limit, lengthMax, atLeastOne }: ReadOptions): Slice | Promise<Slice> {
    const { start, end } = this.#topic
    if (offset < start || offset > end) {
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `VLSN ${offset} is not between ${start} and ${end}`)
    }
    const most = limit < end ? limit : end
    const slice = new ViewSlice(offset, lengthMax, atLeastOne)
    while (slice.nextOffset < most && slice.add(this.#batches.find(slice.nextOffset)));
    // What there is goes out before more is built.
    if (slice.length > 0 || offset >= most || (lengthMax <= 0 && !atLeastOne)) return slice
    return this.#build(slice, most)
  }

  async #build(slice: ViewSlice, end: bigint): Promise<Slice> {
    try {
      while (slice.nextOffset < end) {
        const { nextOffset, lengthLeft, takesAny } = slice
        const batch = await this.#batches.build(nextOffset, end, lengthLeft, takesAny)
        const isWhole = batch && batch.region.bytes.length >= lengthKept
        // A short one is the last, or the first of a reader who may want no more; and none is built short for want of room.
        if (!slice.add(batch) || !isWhole || slice.lengthLeft < lengthKept) break
      }
      return slice
    } catch (error) {
      slice.release()
      throw error
    }
  }

  async offsetForTimestamp(timestamp: bigint): Promise<TimestampOffset | undefined> {
    return this.#placed(await recordAtOrAfter(this.#topic, timestamp))
  }

  async maxTimestamp(): Promise<TimestampOffset | undefined> {
    return this.#placed(await greatestTimestamp(this.#topic))
  }

  #placed(found: { vlsn: bigint; timestamp: number } | undefined): TimestampOffset | undefined {
    const { leaderEpoch } = this
    return found && { offset: found.vlsn, timestamp: BigInt(found.timestamp), leaderEpoch }
  }

  /** The view never changes, so every epoch that was agrees with it to its end. */
  epochEnd(leaderEpoch: number): EpochEnd {
    const isKnown = leaderEpoch >= 0 && leaderEpoch <= this.leaderEpoch
    return isKnown ? { leaderEpoch, endOffset: this.#topic.end } : { leaderEpoch: -1, endOffset: -1n }
  }

  onAdvance(listener: () => void): Cancel {
    return this.#topic.onAdvance(listener)
  }

  /** The topic is gone: what is held is given back. */
  close(): void {
    this.#batches.close()
  }
}

/** Batches that are held until the slice is released. */
class ViewSlice implements Slice {
  length = 0
  nextOffset: bigint
  readonly #lengthMax: number
  readonly #atLeastOne: boolean
  readonly #holds: Region[] = []

  constructor(from: bigint, lengthMax: number, atLeastOne: boolean) {
    this.nextOffset = from
    this.#lengthMax = lengthMax
    this.#atLeastOne = atLeastOne
  }

  /** Batches that were built one after another lie so in memory. */
  get pieces(): Buffer[] {
    return joinAdjacent(this.#holds.map(({ bytes }) => bytes))
  }

  get lengthLeft(): number {
    return this.#lengthMax - this.length
  }

  /** A batch has a place, whatever its length. */
  get takesAny(): boolean {
    return this.#atLeastOne && this.length === 0
  }

  /** Takes over the hold on a batch, if there is one and it has a place; else gives it back. */
  add(batch: BuiltBatch | undefined): boolean {
    if (!batch) return false
    const { region, to } = batch
    const { length } = region.bytes
    if (length > this.lengthLeft && !this.takesAny) {
      region.release()
      return false
    }
    this.#holds.push(region)
    this.length += length
    this.nextOffset = to
    return true
  }

  release(): void {
    for (const hold of this.#holds.splice(0)) hold.release()
  }
}
