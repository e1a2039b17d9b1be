import type { Region, Slabs } from '../base/slabs.ts'
import { batchOverhead, field, logOverhead, magicCurrent, none, seal } from '../protocol/records/batch.ts'
import { sizeOfVarint, writeVarint } from '../protocol/records/varint.ts'
import type { PartitionRecords } from './partition-records.ts'

/** How far the last offset of a batch may be from its first: an int32. */
export const spreadMax = 2 ** 31 - 1
/** Bytes before the rest of a record at most: length, attributes, timestamp and offset deltas. */
const headLengthMax = 5 + 1 + 10 + 5
// A timestamp delta that is written as a number.
const timestampSpreadMax = 2 ** 51
/** All windows together against the batch: its share of each partition, and some more so that one copy of it is enough. */
const windowsPerBatch = 1.25
/** A record that is not much shorter than a window is copied by itself. */
const recordsPerWindowMin = 4

export interface BatchBuilderOptions {
  readonly slabs: Slabs
  readonly partitionCount: number
  readonly leaderEpoch: number
  /** Bytes at which the batch is full. */
  readonly lengthMax: number
  /** The first record has a place in any case. */
  readonly atLeastOne: boolean
}

/**
 * Writes one batch whose offsets are VLSNs. Its codec is none, its timestamps those of the records, and it has no producer.
 *
 * Records of some hundred bytes come from all partitions in turn, and copying each from another buffer is a call that makes an object:
 * several times the cost of moving bytes within one. So what follows in each partition is copied by the stretch, into a window beside
 * the batch, and records are moved from there.
 */
export class BatchBuilder {
  readonly #slabs: Slabs
  readonly #leaderEpoch: number
  readonly #lengthMax: number
  readonly #atLeastOne: boolean
  #windowLength: number
  /** What is shown in the window of each partition: a part of which body, and from where on. */
  readonly #shown: (Buffer | undefined)[] = []
  readonly #shownFrom: number[] = []
  /** The batch, and behind it the windows. */
  #region: Region
  #length = batchOverhead
  #recordCount = 0
  #base = 0n
  #lastDelta = 0
  #baseTimestamp = 0
  #maxTimestamp = -1

  constructor({ slabs, partitionCount, leaderEpoch, lengthMax, atLeastOne }: BatchBuilderOptions) {
    this.#slabs = slabs
    this.#leaderEpoch = leaderEpoch
    this.#lengthMax = lengthMax
    this.#atLeastOne = atLeastOne
    this.#windowLength = Math.floor((windowsPerBatch * lengthMax) / partitionCount)
    this.#region = slabs.take(lengthMax + partitionCount * this.#windowLength)
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
  add(number: number, offsetDelta: number, records: PartitionRecords): boolean {
    const { timestamp, body, restAt, restEnd } = records
    if (this.#recordCount === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const restLength = restEnd - restAt
    const lengthLeft = this.#lengthMax - this.#length
    if (restLength + headLengthMax > lengthLeft) {
      if (this.#recordCount > 0 || !this.#atLeastOne) return false
      this.#enlarge(restLength)
    }
    if (Math.abs(timestampDelta) > timestampSpreadMax) return false
    const { bytes } = this.#region
    let at = this.#length
    at = writeVarint(bytes, at, 1 + sizeOfVarint(timestampDelta) + sizeOfVarint(offsetDelta) + restLength)
    bytes[at++] = 0
    at = writeVarint(bytes, at, timestampDelta)
    at = writeVarint(bytes, at, offsetDelta)
    if (restLength * recordsPerWindowMin > this.#windowLength) body.copy(bytes, at, restAt, restEnd)
    else {
      const from = this.#show(number, body, restAt, restEnd)
      bytes.copyWithin(at, from, from + restLength)
    }
    this.#length = at + restLength
    this.#recordCount++
    this.#lastDelta = offsetDelta
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    return true
  }

  /** Gives a place beside the batch where the bytes of `body` from `from` to `to` lie. */
  #show(number: number, body: Buffer, from: number, to: number): number {
    const windowLength = this.#windowLength
    const windowAt = this.#lengthMax + number * windowLength
    const shownFrom = this.#shownFrom[number]!
    if (this.#shown[number] === body && to <= shownFrom + windowLength) return windowAt + from - shownFrom
    body.copy(this.#region.bytes, windowAt, from, Math.min(from + windowLength, body.length))
    this.#shown[number] = body
    this.#shownFrom[number] = from
    return windowAt
  }

  /** Makes place for a record that is larger than a batch. */
  #enlarge(restLength: number): void {
    this.#region.release()
    this.#region = this.#slabs.take(batchOverhead + headLengthMax + restLength)
    this.#windowLength = 0
  }

  /** The batch, with its checksum; whoever asked holds it. */
  finish(): Region {
    const bytes = this.#region.bytes.subarray(0, this.#length)
    bytes.writeBigInt64BE(this.#base, field.baseOffset)
    bytes.writeInt32BE(bytes.length - logOverhead, field.batchLength)
    bytes.writeInt32BE(this.#leaderEpoch, field.partitionLeaderEpoch)
    bytes.writeInt8(magicCurrent, field.magic)
    bytes.writeInt16BE(0, field.attributes)
    bytes.writeInt32BE(this.#lastDelta, field.lastOffsetDelta)
    bytes.writeBigInt64BE(BigInt(this.#baseTimestamp), field.baseTimestamp)
    bytes.writeBigInt64BE(BigInt(this.#maxTimestamp), field.maxTimestamp)
    bytes.writeBigInt64BE(BigInt(none), field.producerId)
    bytes.writeInt16BE(none, field.producerEpoch)
    bytes.writeInt32BE(none, field.baseSequence)
    bytes.writeInt32BE(this.#recordCount, field.recordCount)
    seal(bytes, 0, bytes.length)
    return this.#slabs.copyOf(bytes)
  }

  /** Gives up the memory in which the batch was written. */
  release(): void {
    this.#region.release()
  }
}
