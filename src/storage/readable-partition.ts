import type { Cancel } from '../base/clock.ts'
import type { AbortedTransactions } from './aborted-transactions.ts'
import type { ReadOptions, Slice } from './reading.ts'

/** A record's place in the log and in time. */
export interface TimestampOffset {
  readonly offset: bigint
  /** Milliseconds since 1970. */
  readonly timestamp: bigint
  readonly leaderEpoch: number
}

/** A leader epoch and the offset after its last record; -1 and -1 where nothing is known. */
export interface EpochEnd {
  readonly leaderEpoch: number
  readonly endOffset: bigint
}

/**
 * What a consumer sees of a partition, be it stored (`PartitionLog`) or made up of stored ones as it is read (`OrderedView`): the
 * rooms that read know no more.
 */
export interface ReadablePartition {
  /** The topic is gone, and nothing of it will move any more. */
  readonly isOver: boolean
  readonly leaderEpoch: number
  /** The first offset that can be read. */
  readonly logStartOffset: bigint
  /** The next record's offset: everything below was accepted. */
  readonly logEndOffset: bigint
  /** Everything below may be seen. */
  readonly highWatermark: bigint
  /** Everything below is decided: what a reader with isolation level read_committed may see. */
  readonly lastStableOffset: bigint
  /** Whose records are not for a reader with isolation level read_committed; what a change leaves as it was. */
  readonly aborted: AbortedTransactions
  /**
   * Whole batches from the one that holds `offset`, up to the limit. Synchronous as long as nothing has to be waited for. Throws or
   * rejects with OFFSET_OUT_OF_RANGE, and with KAFKA_STORAGE_ERROR where the disk does not give back what was written.
   */
  read(offset: bigint, options: ReadOptions): Slice | Promise<Slice>
  /** The first record at or after `timestamp`, by its own timestamp (ListOffsets). */
  offsetForTimestamp(timestamp: bigint): Promise<TimestampOffset | undefined>
  /** The first record with the greatest timestamp (ListOffsets, KIP-734). */
  maxTimestamp(): Promise<TimestampOffset | undefined>
  /** Where the greatest leader epoch not above `leaderEpoch` ends (OffsetForLeaderEpoch). */
  epochEnd(leaderEpoch: number): EpochEnd
  /** Calls `listener` whenever the high watermark or the log start has moved, and when the partition is dropped. */
  onAdvance(listener: () => void): Cancel
}
