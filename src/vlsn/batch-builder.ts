import type { Region, Slabs } from '../base/slabs.ts'
import { writeBigInt64 } from '../protocol/int64.ts'
import { batchOverhead, field, logOverhead, magicCurrent, none, seal } from '../protocol/records/batch.ts'
import { sizeOfVarint, writeVarint } from '../protocol/records/varint.ts'
import { Page } from './page.ts'
import type { PartitionRecords } from './partition-records.ts'

/** How far the last offset of a batch may be from its first: an int32. */
export const spreadMax = 2 ** 31 - 1
/** Bytes before the rest of a record at most: length, attributes, timestamp and offset deltas. */
const headLengthMax = 5 + 1 + 10 + 5
// A timestamp delta that is written as a number.
const timestampSpreadMax = 2 ** 51

export interface BatchOptions {
  readonly slabs: Slabs
  readonly leaderEpoch: number
  /** Bytes at which the batch is full. */
  readonly lengthMax: number
  /** The first record has a place whatever its length. */
  readonly atLeastOne: boolean
}

/** Writes one batch whose offsets are VLSNs. Its codec is none, its timestamps those of the records, and it has no producer. */
export class BatchBuilder {
  readonly #slabs: Slabs
  readonly #leaderEpoch: number
  readonly #atLeastOne: boolean
  #page: Page
  #isAlone = false
  /** Where it begins, ends so far and has to end. */
  #start: number
  #end: number
  #endMax: number
  #recordCount = 0
  #base = 0n
  #lastDelta = 0
  #baseTimestamp = 0
  #maxTimestamp = -1

  /** Begins it where `page` has been used up to. */
  constructor(page: Page, { slabs, leaderEpoch, lengthMax, atLeastOne }: BatchOptions) {
    this.#slabs = slabs
    this.#leaderEpoch = leaderEpoch
    this.#atLeastOne = atLeastOne
    this.#page = page
    this.#start = page.used
    this.#end = this.#start + batchOverhead
    this.#endMax = Math.min(this.#start + lengthMax, page.end)
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** The VLSN of the last record. */
  get last(): bigint {
    return this.#base + BigInt(this.#lastDelta)
  }

  /** How far `vlsn` is behind the first record; it is to be that of the first where there is none. */
  reach(vlsn: bigint): number {
    if (this.#recordCount === 0) this.#base = vlsn
    return Number(vlsn - this.#base)
  }

  /** Adds the current record of partition `number`, so far behind the first one; false where it has no place any more. */
  add(number: number, offsetDelta: number, { timestamp, body, restAt, restEnd }: PartitionRecords): boolean {
    if (this.#recordCount === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const restLength = restEnd - restAt
    if (this.#end + headLengthMax + restLength > this.#endMax) {
      if (this.#recordCount > 0 || !this.#atLeastOne) return false
      this.#turnToOwnPage(restLength)
    }
    if (Math.abs(timestampDelta) > timestampSpreadMax) return false
    const { bytes } = this.#page
    let at = this.#end
    at = writeVarint(bytes, at, 1 + sizeOfVarint(timestampDelta) + sizeOfVarint(offsetDelta) + restLength)
    bytes[at++] = 0
    at = writeVarint(bytes, at, timestampDelta)
    at = writeVarint(bytes, at, offsetDelta)
    this.#page.copy(number, body, restAt, restEnd, at)
    this.#end = at + restLength
    this.#recordCount++
    this.#lastDelta = offsetDelta
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    return true
  }

  /** A record that is longer than a batch is to be has a page for itself. */
  #turnToOwnPage(restLength: number): void {
    const length = batchOverhead + headLengthMax + restLength
    this.#page = new Page({ slabs: this.#slabs, length, partitionCount: 0 })
    this.#isAlone = true
    this.#start = 0
    this.#end = batchOverhead
    this.#endMax = length
  }

  /** The batch, with its checksum, held by whoever asks. */
  finish(): Region {
    const bytes = this.#page.bytes.subarray(this.#start, this.#end)
    writeBigInt64(bytes, field.baseOffset, this.#base)
    bytes.writeInt32BE(bytes.length - logOverhead, field.batchLength)
    bytes.writeInt32BE(this.#leaderEpoch, field.partitionLeaderEpoch)
    bytes.writeInt8(magicCurrent, field.magic)
    bytes.writeInt16BE(0, field.attributes)
    bytes.writeInt32BE(this.#lastDelta, field.lastOffsetDelta)
    writeBigInt64(bytes, field.baseTimestamp, BigInt(this.#baseTimestamp))
    writeBigInt64(bytes, field.maxTimestamp, BigInt(this.#maxTimestamp))
    writeBigInt64(bytes, field.producerId, BigInt(none))
    bytes.writeInt16BE(none, field.producerEpoch)
    bytes.writeInt32BE(none, field.baseSequence)
    bytes.writeInt32BE(this.#recordCount, field.recordCount)
    seal(bytes, 0, bytes.length)
    this.#page.used = this.#end
    return this.#page.part(this.#start, this.#end)
  }

  /** Gives up a page of its own. */
  release(): void {
    if (this.#isAlone) this.#page.release()
  }
}
