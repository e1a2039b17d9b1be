import type { Cancel } from '../base/clock.ts'
import type { Region } from '../base/slabs.ts'

/** A partition's number in the whole broker: a uint32 given by the catalog, never given twice. */
export type PartitionId = number

/** What became of an appended batch. */
export interface Appended {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  /** The batch was there already (an idempotent producer's retry); the offsets are those of the first time. */
  readonly isDuplicate: boolean
  /** Resolves once the batch is synced; rejects with KAFKA_STORAGE_ERROR. One promise for the whole block. */
  readonly committed: Promise<void>
}

export interface AppendOptions {
  /** The slab memory that the batch lies in. It is retained and stamped in place instead of copied. */
  readonly hold?: Region | undefined
}

export interface ReadOptions {
  /** Bytes to stay within; the first batch may pass it where `atLeastOne`. */
  readonly lengthMax: number
  /** The offset not to pass: the high watermark or the last stable offset. */
  readonly limit: bigint
  readonly atLeastOne: boolean
}

/** Whole batches in offset order. The pieces are valid until `release`, which is called exactly once. */
export interface Slice {
  readonly pieces: readonly Buffer[]
  readonly length: number
  /** Where to read on. */
  readonly nextOffset: bigint
  release(): void
}

export interface TimestampOffset {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly leaderEpoch: number
}

/** The public face of a partition; being built. */
export declare class PartitionLog {
  readonly id: PartitionId
  readonly shard: number
  /** The start count at which the partition was made. */
  readonly createdAt: number
  get logStartOffset(): bigint
  get logEndOffset(): bigint
  get highWatermark(): bigint
  get lastStableOffset(): bigint
  get leaderEpoch(): number
  get sizeInBytes(): number
  append(batch: Buffer, options?: AppendOptions): Appended
  read(offset: bigint, options: ReadOptions): Slice | Promise<Slice>
  offsetForTimestamp(timestamp: bigint): Promise<TimestampOffset | undefined>
  maxTimestamp(): Promise<TimestampOffset | undefined>
  epochEnd(leaderEpoch: number): { leaderEpoch: number; endOffset: bigint }
  deleteBefore(offset: bigint): void
  onAdvance(listener: () => void): Cancel
}
