import { readBigInt64, readInt64, readUint64, writeUint64 } from '../protocol/int64.ts'
import { attribute, Batch, field, logOverhead, magicCurrent } from '../protocol/records/batch.ts'
import { readMarker, type Marker } from '../protocol/records/control.ts'

/**
 * A row says where one entry (a batch of one partition) lies and what it holds. Rows make up the directory of a block, where
 * the position counts from the start of the block's body, and the footer of a segment, where it counts from the start of
 * the file. Big-endian; the version is the block's or the footer's.
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | partition, uint32 |
 * | 4 | 4 | length of the batch, uint32 |
 * | 8 | 4 | position, uint32 |
 * | 12 | 4 | record count, int32 |
 * | 16 | 8 | base offset, int64 |
 * | 24 | 4 | last offset delta, int32 |
 * | 28 | 4 | leader epoch, int32 |
 * | 32 | 8 | LSN, uint64 |
 * | 40 | 8 | max timestamp, int64 |
 * | 48 | 8 | producer id, int64 |
 * | 56 | 4 | base sequence, int32; of a transaction's marker the coordinator epoch |
 * | 60 | 2 | producer epoch, int16 |
 * | 62 | 2 | attributes of the batch, int16; of a marker with 0x0100 for ABORT or 0x0200 for COMMIT besides |
 *
 * So rows alone tell what became of transactions: whoever recovers, looks at or compares a log need not read a batch for it.
 */
export const rowField = {
  partition: 0,
  length: 4,
  position: 8,
  recordCount: 12,
  baseOffset: 16,
  lastOffsetDelta: 24,
  leaderEpoch: 28,
  lsn: 32,
  maxTimestamp: 40,
  producerId: 48,
  baseSequence: 56,
  producerEpoch: 60,
  attributes: 62,
} as const

export const rowLength = 64

const noBytes = Buffer.alloc(0)

/** A row wherever it lies; moved from one to the next, so that walking many makes no garbage. */
export class RowView {
  bytes: Buffer
  at: number

  constructor(bytes: Buffer = noBytes, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  move(bytes: Buffer, at: number): this {
    this.bytes = bytes
    this.at = at
    return this
  }

  get partition(): number {
    return this.bytes.readUInt32BE(this.at + rowField.partition)
  }
  get length(): number {
    return this.bytes.readUInt32BE(this.at + rowField.length)
  }
  get position(): number {
    return this.bytes.readUInt32BE(this.at + rowField.position)
  }
  get recordCount(): number {
    return this.bytes.readInt32BE(this.at + rowField.recordCount)
  }
  get baseOffset(): number {
    return readUint64(this.bytes, this.at + rowField.baseOffset)
  }
  get lastOffsetDelta(): number {
    return this.bytes.readInt32BE(this.at + rowField.lastOffsetDelta)
  }
  /** The offset after the entry's last. */
  get nextOffset(): number {
    return this.baseOffset + this.lastOffsetDelta + 1
  }
  get leaderEpoch(): number {
    return this.bytes.readInt32BE(this.at + rowField.leaderEpoch)
  }
  get lsn(): number {
    return readUint64(this.bytes, this.at + rowField.lsn)
  }
  get maxTimestamp(): number {
    return readInt64(this.bytes, this.at + rowField.maxTimestamp)
  }
  get hasProducerId(): boolean {
    return this.bytes.readInt32BE(this.at + rowField.producerId) >= 0
  }
  get producerId(): bigint {
    return readBigInt64(this.bytes, this.at + rowField.producerId)
  }
  get baseSequence(): number {
    return this.bytes.readInt32BE(this.at + rowField.baseSequence)
  }
  get producerEpoch(): number {
    return this.bytes.readInt16BE(this.at + rowField.producerEpoch)
  }
  get isTransactional(): boolean {
    return (this.bytes[this.at + attributesLow]! & attribute.transactional) !== 0
  }
  get isControl(): boolean {
    return (this.bytes[this.at + attributesLow]! & attribute.control) !== 0
  }
  /** What a control batch says of its producer's transaction; undefined where compaction has emptied it. */
  get marker(): Marker | undefined {
    const type = markerTypes[this.bytes[this.at + rowField.attributes]!]
    return type && { type, coordinatorEpoch: this.baseSequence }
  }
}

/** The byte that has all attributes of a batch; in a marker's row the other one says how its transaction ended. */
const attributesLow = rowField.attributes + 1
const markerTypes = [undefined, 'ABORT', 'COMMIT'] as const

/** Writes the row of the stamped batch at `batchAt`. */
export function writeRow(
  row: Buffer,
  at: number,
  batch: Buffer,
  batchAt: number,
  entry: { partition: number; position: number; lsn: number },
): void {
  row.writeUInt32BE(entry.partition, at + rowField.partition)
  row.writeUInt32BE(logOverhead + batch.readInt32BE(batchAt + field.batchLength), at + rowField.length)
  row.writeUInt32BE(entry.position, at + rowField.position)
  writeUint64(row, at + rowField.lsn, entry.lsn)
  for (let index = 0; index < copiedFields.length; index++) {
    const [target, source, length] = copiedFields[index]!
    copyBytes(row, at + target, batch, batchAt + source, length)
  }
  if ((row[at + attributesLow]! & attribute.control) !== 0)
    writeMarker(row, at, readMarker(new Batch(batch, batchAt)))
}

function writeMarker(row: Buffer, at: number, marker: Marker | undefined): void {
  row[at + rowField.attributes] = marker ? markerTypes.indexOf(marker.type) : 0
  if (marker) row.writeInt32BE(marker.coordinatorEpoch, at + rowField.baseSequence)
}

/** Whether a row and the v2 batch at `batchAt` say the same. What the batch's own checksum leaves out is compared here. */
export function agrees(row: Buffer, at: number, batch: Buffer, batchAt: number): boolean {
  if (batch.length - batchAt < row.readUInt32BE(at + rowField.length)) return false
  if (batch[batchAt + field.magic] !== magicCurrent) return false
  if (batch.readInt32BE(batchAt + field.batchLength) + logOverhead !== row.readUInt32BE(at + rowField.length))
    return false
  if ((row[at + attributesLow]! & attribute.control) !== 0) return agreesAsControl(row, at, batch, batchAt)
  return copiedFields.every(([target, source, length]) =>
    equalBytes(row, at + target, batch, batchAt + source, length),
  )
}

function agreesAsControl(row: Buffer, at: number, batch: Buffer, batchAt: number): boolean {
  const { partition, position, lsn } = new RowView(row, at)
  const drawn = Buffer.alloc(rowLength)
  writeRow(drawn, 0, batch, batchAt, { partition, position, lsn })
  return equalBytes(row, at, drawn, 0, rowLength)
}

/** The fields that a row has from its batch: where in the row, where in the batch, how long. */
const copiedFields = [
  [rowField.recordCount, field.recordCount, 4],
  [rowField.baseOffset, field.baseOffset, 8],
  [rowField.lastOffsetDelta, field.lastOffsetDelta, 4],
  [rowField.leaderEpoch, field.partitionLeaderEpoch, 4],
  [rowField.maxTimestamp, field.maxTimestamp, 8],
  [rowField.producerId, field.producerId, 8],
  [rowField.baseSequence, field.baseSequence, 4],
  [rowField.producerEpoch, field.producerEpoch, 2],
  [rowField.attributes, field.attributes, 2],
] as const

// For a few bytes a loop is quicker than a call into native code.
function copyBytes(target: Buffer, at: number, source: Buffer, from: number, length: number): void {
  for (let index = 0; index < length; index++) target[at + index] = source[from + index]!
}

function equalBytes(left: Buffer, at: number, right: Buffer, from: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (left[at + index] !== right[from + index]) return false
  return true
}

// A power of two, so that a row is found by shifting.
const chunkRowsLog2 = 10
const chunkRows = 1 << chunkRowsLog2

/** Rows in RAM, one after another in 64 KiB pieces; growing copies nothing. */
export class Rows {
  readonly #chunks: Buffer[] = []
  count = 0

  /** Makes room for one more row and returns its ordinal. */
  add(): number {
    const ordinal = this.count++
    if (ordinal >>> chunkRowsLog2 === this.#chunks.length) {
      this.#chunks.push(Buffer.allocUnsafeSlow(chunkRows * rowLength))
    }
    return ordinal
  }

  /** The buffer that a row lies in; see `at`. */
  chunk(ordinal: number): Buffer {
    return this.#chunks[ordinal >>> chunkRowsLog2]!
  }

  /** Where in `chunk` the row begins. */
  at(ordinal: number): number {
    return (ordinal & (chunkRows - 1)) * rowLength
  }

  /** Copies rows that follow one another. */
  copy(first: number, count: number, target: Buffer, at: number): void {
    for (let ordinal = first; ordinal < first + count;) {
      const start = this.at(ordinal)
      const length = Math.min(chunkRows * rowLength - start, (first + count - ordinal) * rowLength)
      this.chunk(ordinal).copy(target, at + (ordinal - first) * rowLength, start, start + length)
      ordinal += length / rowLength
    }
  }
}
