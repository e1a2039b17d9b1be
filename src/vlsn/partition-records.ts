import { batchesIn, type Batch } from '../protocol/records/batch.ts'
import { bodyLengthMax, decompress } from '../protocol/records/compression.ts'
import { RecordCursor } from '../protocol/records/varint.ts'
import type { Slice } from '../storage/reading.ts'
import { isAborted } from './aborted.ts'
import type { VlsnPartition } from './vlsn-partition.ts'

const none = Buffer.alloc(0)

/** A stretch of the log that was read, and what of it was not opened yet, the next batch last. */
interface Stretch {
  readonly slice: Slice
  readonly batches: Batch[]
}

/**
 * The records of one partition one after another, as far as they are stable, without markers and what was aborted. They are read where
 * they lie, in memory of the log that is held until `release`: nothing is made for a record, its fields are those of this object. A
 * timestamp past 2^53 ms is rounded.
 */
export class PartitionRecords {
  readonly #partition: VlsnPartition
  /** Where to read on. */
  #offset: number
  readonly #stretches: Stretch[] = []
  #cursor = new RecordCursor(none)
  #left = 0
  #baseTimestamp = 0
  #appendTime: number | undefined
  /** There is a current record: not before the first one, and not where no more is in RAM. */
  isThere = false
  /** The halves of the current record's VLSN, as uint32: a bigint for each record costs more than all else. */
  high = 0
  low = 0
  /** Milliseconds since 1970. */
  timestamp = -1
  /**
   * Where the current record's bytes behind its offset delta lie, from the length of the key on: they are the same wherever the record
   * lies.
   */
  body: Buffer = none
  restAt = 0
  restEnd = 0

  /** Begins at `offset`. */
  constructor(partition: VlsnPartition, offset: number) {
    this.#partition = partition
    this.#offset = offset
  }

  /** The current record's VLSN; undefined where there is none. */
  get vlsn(): bigint | undefined {
    return this.isThere ? (BigInt(this.high) << 32n) | BigInt(this.low) : undefined
  }

  /** There is something stable that was not read yet. */
  get hasMore(): boolean {
    return this.#offset < this.#partition.stableOffset
  }

  /** There is no current record until more is read. */
  get isShort(): boolean {
    return !this.isThere && this.hasMore
  }

  /** The current record's VLSN is below that of the halves `high` and `low`. */
  isBelow(high: number, low: number): boolean {
    return this.high < high || (this.high === high && this.low < low)
  }

  /** Bytes of records in RAM behind the current one, as they were stored. */
  get lengthLeft(): number {
    let length = this.body.length - this.restEnd
    for (const { batches } of this.#stretches) for (const { sizeInBytes } of batches) length += sizeInBytes
    return length
  }

  /** Bytes of the log that are held. */
  get lengthHeld(): number {
    return this.#stretches.reduce((sum, { slice }) => sum + slice.length, 0)
  }

  /** Goes to the next record, if it is in RAM. */
  next(): void {
    while (this.#left === 0) {
      if (!this.#openNext()) {
        this.isThere = false
        return
      }
    }
    this.#left--
    const cursor = this.#cursor
    const end = cursor.enterRecord(this.body.length)
    const timestampDelta = cursor.varlongRounded()
    this.timestamp = this.#appendTime ?? this.#baseTimestamp + timestampDelta
    cursor.varint()
    this.restAt = cursor.position
    this.restEnd = end
    const keyAt = cursor.skip(cursor.varint())
    this.high = uint32At(this.body, keyAt)
    this.low = uint32At(this.body, keyAt + 4)
    this.isThere = true
    cursor.position = end
  }

  #openNext(): boolean {
    for (;;) {
      const stretch = this.#stretches[0]
      const batch = stretch?.batches.pop()
      if (batch) {
        this.#open(batch)
        return true
      }
      this.#open(undefined)
      if (!stretch) return false
      this.#stretches.shift()
      stretch.slice.release()
    }
  }

  #open(batch: Batch | undefined): void {
    this.body = batch ? decompress(batch.codec, batch.body, bodyLengthMax) : none
    this.restAt = this.restEnd = 0
    this.#cursor = new RecordCursor(this.body)
    this.#left = batch?.recordCount ?? 0
    this.#baseTimestamp = Number(batch?.baseTimestamp ?? 0n)
    this.#appendTime = batch?.timestampType === 'LogAppendTime' ? Number(batch.maxTimestamp) : undefined
  }

  /**
   * Reads some `lengthMax` bytes more, one batch at least, and until there is a current record or nothing more that is stable. Rejects as
   * `PartitionLog.read` does.
   */
  async load(lengthMax: number): Promise<void> {
    const { log } = this.#partition
    do {
      this.#offset = Math.max(this.#offset, Number(log.logStartOffset))
      const limit = this.#partition.stableOffset
      if (this.#offset >= limit) return
      // As it is now: what a deletion forgets meanwhile is still read.
      const { aborted } = log
      const slice = await log.read(BigInt(this.#offset), {
        lengthMax,
        limit: BigInt(limit),
        atLeastOne: true,
      })
      this.#offset = Number(slice.nextOffset)
      const batches = slice.pieces.flatMap(piece => [...batchesIn(piece)])
      const shown = batches.filter(each => !each.isControl && !isAborted(each, aborted))
      this.#stretches.push({ slice, batches: shown.toReversed() })
      if (!this.isThere) this.next()
    } while (!this.isThere)
  }

  /** Goes to the first record whose VLSN is not below `vlsn`, reading so many bytes at once. */
  async seek(vlsn: bigint, lengthMax: number): Promise<void> {
    for (;;) {
      if (!this.isThere) await this.load(lengthMax)
      if (!this.isThere || this.vlsn! >= vlsn) return
      this.next()
    }
  }

  /** Gives back what is held; there is no current record any more. */
  release(): void {
    for (const { slice } of this.#stretches.splice(0)) slice.release()
    this.#open(undefined)
    this.isThere = false
  }
}

/** As `readUInt32BE`, which checks its argument each time. */
function uint32At(bytes: Buffer, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
