import type { Cancel } from '../base/clock.ts'
import { KafkaError } from '../protocol/errors.ts'
import { AbortedTransactions } from '../storage/aborted-transactions.ts'
import type { EpochEnd, ReadablePartition, TimestampOffset } from '../storage/readable-partition.ts'
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

  constructor(topic: VlsnTopic) {
    this.#topic = topic
    this.#batches = new BuiltBatches(topic)
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
    const slice = new ViewSlice(offset)
    const fits = (batch: BuiltBatch): boolean =>
      slice.length + batch.bytes.length <= lengthMax || (slice.length === 0 && atLeastOne)
    for (;;) {
      const batch = slice.nextOffset < most ? this.#batches.find(slice.nextOffset) : undefined
      if (!batch || !fits(batch)) break
      slice.add(batch)
    }
    // What there is goes out before more is built.
    if (slice.length > 0 || offset >= most || (lengthMax <= 0 && !atLeastOne)) return slice
    return this.#build(slice, most, lengthMax, fits)
  }

  async #build(
    slice: ViewSlice,
    end: bigint,
    lengthMax: number,
    fits: (batch: BuiltBatch) => boolean,
  ): Promise<Slice> {
    while (slice.nextOffset < end) {
      const batch = await this.#batches.build(slice.nextOffset, end, lengthMax - slice.length)
      if (!batch || !fits(batch)) break
      slice.add(batch)
      // A short one is the last, or the first of a reader who may want no more.
      if (batch.bytes.length < lengthKept) break
    }
    return slice
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
}

/** Batches that are nobody's but the collector's, so that there is nothing to release. */
class ViewSlice implements Slice {
  readonly pieces: Buffer[] = []
  length = 0
  nextOffset: bigint

  constructor(from: bigint) {
    this.nextOffset = from
  }

  add({ to, bytes }: BuiltBatch): void {
    this.pieces.push(bytes)
    this.length += bytes.length
    this.nextOffset = to
  }

  release(): void {}
}
