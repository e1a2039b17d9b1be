import { batchOverhead, field, logOverhead, magicCurrent, none, seal } from '../protocol/records/batch.ts'
import { sizeOfVarint, writeVarint } from '../protocol/records/varint.ts'
import type { PartitionRecords } from './partition-records.ts'

/** How far apart the offsets of a batch may be: an int32. */
const spreadMax = 2n ** 31n - 1n
/** Bytes before the rest of a record at most: length, attributes, timestamp and offset deltas. */
const headLengthMax = 5 + 1 + 10 + 5
// A timestamp delta that is written as a number.
const timestampSpreadMax = 2 ** 51

/** Writes one batch whose offsets are VLSNs. Its codec is none, its timestamps those of the records, and it has no producer. */
export class BatchBuilder {
  readonly #leaderEpoch: number
  #bytes: Buffer
  #length = batchOverhead
  #recordCount = 0
  #base = 0n
  #last = 0n
  #baseTimestamp = 0
  #maxTimestamp = -1

  constructor(leaderEpoch: number, lengthExpected: number) {
    this.#leaderEpoch = leaderEpoch
    this.#bytes = Buffer.allocUnsafe(lengthExpected)
  }

  get recordCount(): number {
    return this.#recordCount
  }

  get length(): number {
    return this.#length
  }

  /** Adds the current record of `records`; false where the batch cannot reach so far. */
  add({ vlsn, timestamp, body, restAt, restEnd }: PartitionRecords): boolean {
    if (this.#recordCount === 0) {
      this.#base = vlsn!
      this.#baseTimestamp = this.#maxTimestamp = timestamp
    }
    const offsetDelta = vlsn! - this.#base
    const timestampDelta = timestamp - this.#baseTimestamp
    if (offsetDelta > spreadMax || Math.abs(timestampDelta) > timestampSpreadMax) return false
    const delta = Number(offsetDelta)
    const restLength = restEnd - restAt
    const size = 1 + sizeOfVarint(timestampDelta) + sizeOfVarint(delta) + restLength
    this.#reserve(headLengthMax + restLength)
    const bytes = this.#bytes
    let at = writeVarint(bytes, this.#length, size)
    bytes[at++] = 0
    at = writeVarint(bytes, at, timestampDelta)
    at = writeVarint(bytes, at, delta)
    body.copy(bytes, at, restAt, restEnd)
    this.#length = at + restLength
    this.#recordCount++
    this.#last = vlsn!
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    return true
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const bytes = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + length))
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
  }

  /** The batch, with its checksum. */
  finish(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length)
    bytes.writeBigInt64BE(this.#base, field.baseOffset)
    bytes.writeInt32BE(bytes.length - logOverhead, field.batchLength)
    bytes.writeInt32BE(this.#leaderEpoch, field.partitionLeaderEpoch)
    bytes.writeInt8(magicCurrent, field.magic)
    bytes.writeInt16BE(0, field.attributes)
    bytes.writeInt32BE(Number(this.#last - this.#base), field.lastOffsetDelta)
    bytes.writeBigInt64BE(BigInt(this.#baseTimestamp), field.baseTimestamp)
    bytes.writeBigInt64BE(BigInt(this.#maxTimestamp), field.maxTimestamp)
    bytes.writeBigInt64BE(BigInt(none), field.producerId)
    bytes.writeInt16BE(none, field.producerEpoch)
    bytes.writeInt32BE(none, field.baseSequence)
    bytes.writeInt32BE(this.#recordCount, field.recordCount)
    seal(bytes, 0, bytes.length)
    return bytes
  }
}
