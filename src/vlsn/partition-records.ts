import { batchesIn, type Batch } from '../protocol/records/batch.ts'
import { bodyLengthMax, decompress } from '../protocol/records/compression.ts'
import { RecordCursor } from '../protocol/records/varint.ts'
import { isAborted } from './aborted.ts'
import type { VlsnPartition } from './vlsn-partition.ts'

const none = Buffer.alloc(0)

/**
 * The records of one partition one after another, as far as they are stable, without markers and what was aborted. The current one is
 * `vlsn`, `timestamp` and `rest`: the bytes behind its offset delta, from the length of the key on, which are the same wherever
 * the record lies. A timestamp past 2^53 ms is rounded.
 */
export class PartitionRecords {
  readonly #partition: VlsnPartition
  /** Bytes to read at once. */
  lengthMax: number
  /** Where to read on. */
  #offset: number
  /** What was read and not opened, the next one last. */
  #batches: Batch[] = []
  #cursor = new RecordCursor(none)
  #left = 0
  #baseTimestamp = 0
  #appendTime: number | undefined
  /** The VLSN of the current record; undefined before the first one, and where there is no more for now. */
  vlsn: bigint | undefined
  /** Milliseconds since 1970. */
  timestamp = -1
  body: Buffer = none
  restAt = 0
  restEnd = 0

  /** Begins at `offset`. */
  constructor(partition: VlsnPartition, offset: number, lengthMax: number) {
    this.#partition = partition
    this.#offset = offset
    this.lengthMax = lengthMax
  }

  /** Goes to the next record, if it is in RAM already. Otherwise `vlsn` is undefined, and `load` looks for more. */
  next(): void {
    while (this.#left === 0) {
      const batch = this.#batches.pop()
      if (!batch) {
        this.vlsn = undefined
        return
      }
      this.#open(batch)
    }
    this.#left--
    const cursor = this.#cursor
    const end = cursor.enterRecord(this.body.length)
    this.timestamp = this.#appendTime ?? this.#baseTimestamp + cursor.varlongRounded()
    if (this.#appendTime !== undefined) cursor.varlongRounded()
    cursor.varint()
    this.restAt = cursor.position
    this.restEnd = end
    this.vlsn = this.body.readBigInt64BE(cursor.skip(cursor.varint()))
    cursor.position = end
  }

  #open(batch: Batch): void {
    this.body = decompress(batch.codec, batch.body, bodyLengthMax)
    this.#cursor = new RecordCursor(this.body)
    this.#left = batch.recordCount
    this.#baseTimestamp = Number(batch.baseTimestamp)
    this.#appendTime = batch.timestampType === 'LogAppendTime' ? Number(batch.maxTimestamp) : undefined
  }

  /** Reads until there is a current record, or no stable one any more. Rejects as `PartitionLog.read` does. */
  async load(): Promise<void> {
    const { log } = this.#partition
    while (this.vlsn === undefined) {
      this.#offset = Math.max(this.#offset, Number(log.logStartOffset))
      const limit = this.#partition.stableOffset
      if (this.#offset >= limit) return
      const options = { lengthMax: this.lengthMax, limit: BigInt(limit), atLeastOne: true }
      // As it is now: what a deletion forgets meanwhile is still read.
      const { aborted } = log
      const slice = await log.read(BigInt(this.#offset), options)
      try {
        // Copied: a reader may take its time, and is not to hold the memory of the log.
        const batches = [...batchesIn(Buffer.concat(slice.pieces))]
        this.#batches = batches.filter(each => !each.isControl && !isAborted(each, aborted)).toReversed()
        this.#offset = Number(slice.nextOffset)
      } finally {
        slice.release()
      }
      this.next()
    }
  }

  /** Goes to the first record whose VLSN is not below `vlsn`. */
  async seek(vlsn: bigint): Promise<void> {
    for (;;) {
      if (this.vlsn === undefined) await this.load()
      if (this.vlsn === undefined || this.vlsn >= vlsn) return
      this.next()
    }
  }
}
