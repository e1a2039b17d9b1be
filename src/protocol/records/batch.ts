import { readBigInt64, writeBigInt64, writeInt64 } from '../int64.ts'
import { crc32c } from './crc32c.ts'
import { RecordsError } from './errors.ts'

/** Bytes before a batch's own length begins to count: base offset and length. */
export const logOverhead = 12
/** Bytes of a batch's header; its records start here (DefaultRecordBatch.RECORD_BATCH_OVERHEAD). */
export const batchOverhead = 61
/** The only message format written today. */
export const magicCurrent = 2
/** What stands in a header for no producer id, epoch, sequence, leader epoch or timestamp. */
export const none = -1

/** Compression codecs by the number that stands for them in a batch's attributes. */
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** The bits of a batch's attributes. */
export const attribute = {
  codecMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const

/** Where each header field starts, in bytes from the start of the batch. */
export const field = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** Offset and sequence arithmetic wraps as an int32 does, past 2^31 - 1 to 0 (DefaultRecordBatch.incrementSequence). */
export function addToSequence(sequence: number, increment: number): number {
  return (sequence + increment) % 2 ** 31
}

/**
 * One v2 batch as it lies in `bytes` at `position`: every field is read when asked for, nothing is copied.
 * Made by `readBatch` and `batchesIn`, which see to it that the whole batch is there.
 */
export class Batch {
  readonly bytes: Buffer
  readonly position: number

  constructor(bytes: Buffer, position: number) {
    this.bytes = bytes
    this.position = position
  }

  get baseOffset(): bigint {
    return readBigInt64(this.bytes, this.position)
  }
  get batchLength(): number {
    return this.bytes.readInt32BE(this.position + field.batchLength)
  }
  /** Bytes of the whole batch, its first twelve included. */
  get sizeInBytes(): number {
    return logOverhead + this.batchLength
  }
  get partitionLeaderEpoch(): number {
    return this.bytes.readInt32BE(this.position + field.partitionLeaderEpoch)
  }
  get magic(): number {
    return this.bytes.readInt8(this.position + field.magic)
  }
  /** The checksum as stored, unsigned. */
  get crc(): number {
    return this.bytes.readUInt32BE(this.position + field.crc)
  }
  get attributes(): number {
    return this.bytes.readInt16BE(this.position + field.attributes)
  }
  /** Throws RecordsError UNSUPPORTED_COMPRESSION_TYPE for a number that stands for no codec. */
  get codec(): Codec {
    const id = this.attributes & attribute.codecMask
    const codec = codecs[id]
    if (!codec) throw new RecordsError('UNSUPPORTED_COMPRESSION_TYPE', `Unknown compression codec ${id}`)
    return codec
  }
  get timestampType(): TimestampType {
    return this.attributes & attribute.logAppendTime ? 'LogAppendTime' : 'CreateTime'
  }
  get isTransactional(): boolean {
    return (this.attributes & attribute.transactional) !== 0
  }
  get isControl(): boolean {
    return (this.attributes & attribute.control) !== 0
  }
  get hasDeleteHorizon(): boolean {
    return (this.attributes & attribute.deleteHorizon) !== 0
  }
  /** When the batch's tombstones may go, in milliseconds since 1970; it is kept in the base timestamp (KIP-534). */
  get deleteHorizonMs(): bigint | null {
    return this.hasDeleteHorizon ? this.baseTimestamp : null
  }
  get lastOffsetDelta(): number {
    return this.bytes.readInt32BE(this.position + field.lastOffsetDelta)
  }
  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.lastOffsetDelta)
  }
  /** What record timestamps are relative to. */
  get baseTimestamp(): bigint {
    return readBigInt64(this.bytes, this.position + field.baseTimestamp)
  }
  get maxTimestamp(): bigint {
    return readBigInt64(this.bytes, this.position + field.maxTimestamp)
  }
  get producerId(): bigint {
    return readBigInt64(this.bytes, this.position + field.producerId)
  }
  get hasProducerId(): boolean {
    return this.bytes.readInt32BE(this.position + field.producerId) >= 0
  }
  get producerEpoch(): number {
    return this.bytes.readInt16BE(this.position + field.producerEpoch)
  }
  get baseSequence(): number {
    return this.bytes.readInt32BE(this.position + field.baseSequence)
  }
  get lastSequence(): number {
    const { baseSequence } = this
    return baseSequence === none ? none : addToSequence(baseSequence, this.lastOffsetDelta)
  }
  get recordCount(): number {
    return this.bytes.readInt32BE(this.position + field.recordCount)
  }
  /** Whether the stored checksum is that of the bytes. */
  get isSound(): boolean {
    return this.crc === crcOf(this.bytes, this.position, this.sizeInBytes)
  }
  /** The whole batch as a view. */
  get view(): Buffer {
    const { bytes, position, sizeInBytes } = this
    return sizeInBytes === bytes.length ? bytes : bytes.subarray(position, position + sizeInBytes)
  }
  /** The records as they lie there, compressed or not, as a view. */
  get body(): Buffer {
    return this.bytes.subarray(this.position + batchOverhead, this.position + this.sizeInBytes)
  }
}

/**
 * The v2 batch at `position`. Throws RecordsError CORRUPT_MESSAGE where no whole batch lies there, and
 * UNSUPPORTED_FOR_MESSAGE_FORMAT for the older formats (see `legacy.ts`). The checksum is not looked at.
 */
export function readBatch(bytes: Buffer, position = 0): Batch {
  const batch = wholeBatchAt(bytes, position)
  if (!batch) throw new RecordsError('CORRUPT_MESSAGE', `The batch at ${position} is cut short`)
  return batch
}

/** The same; undefined where the bytes end before the batch does, or there are none. */
export function wholeBatchAt(bytes: Buffer, position: number): Batch | undefined {
  return sizeOfBatchAt(bytes, position) === undefined ? undefined : new Batch(bytes, position)
}

/** Each whole v2 batch from `position` on; a batch cut short at the end is left out. Throws as `readBatch` does. */
export function* batchesIn(bytes: Buffer, position = 0): Generator<Batch, void, void> {
  for (let at = position; ;) {
    const batch = wholeBatchAt(bytes, at)
    if (!batch) return
    at += batch.sizeInBytes
    yield batch
  }
}

// The order of these checks is that of Kafka's ByteBufferLogInputStream and DefaultRecordBatch.ensureValid.
function sizeOfBatchAt(bytes: Buffer, position: number): number | undefined {
  const available = bytes.length - position
  if (available < logOverhead) return undefined
  const size = logOverhead + bytes.readInt32BE(position + field.batchLength)
  if (size < legacySizeMin) {
    throw new RecordsError('CORRUPT_MESSAGE', `A batch of ${size} bytes is smaller than its own header`)
  }
  if (available <= field.magic) return undefined
  const magic = bytes.readInt8(position + field.magic)
  if (magic !== magicCurrent) {
    if (magic !== 0 && magic !== 1) throw new RecordsError('CORRUPT_MESSAGE', `Unknown magic ${magic}`)
    throw new RecordsError('UNSUPPORTED_FOR_MESSAGE_FORMAT', `Message format ${magic} where only 2 is spoken`)
  }
  if (size < batchOverhead) {
    throw new RecordsError('CORRUPT_MESSAGE', `A batch of ${size} bytes is smaller than its own header`)
  }
  return available < size ? undefined : size
}

// The smallest message of format 0 (LegacyRecord.RECORD_OVERHEAD_V0) with the twelve bytes before it.
const legacySizeMin = logOverhead + 14

/** Writes what the broker decides into a batch, in place; neither field is under the checksum. */
export function stamp(
  bytes: Buffer,
  position: number,
  baseOffset: number,
  partitionLeaderEpoch: number,
): void {
  writeInt64(bytes, position, baseOffset)
  bytes.writeInt32BE(partitionLeaderEpoch, position + field.partitionLeaderEpoch)
}

/**
 * Sets a batch's timestamp type and greatest timestamp in place, with a new checksum where that changes anything
 * (DefaultRecordBatch.setMaxTimestamp). `LogAppendTime` gives every record the timestamp `maxTimestamp`.
 */
export function setMaxTimestamp(batch: Batch, timestampType: TimestampType, maxTimestamp: bigint): void {
  if (batch.timestampType === timestampType && batch.maxTimestamp === maxTimestamp) return
  const { bytes, position, attributes } = batch
  const cleared = attributes & ~attribute.logAppendTime
  const bit = timestampType === 'LogAppendTime' ? attribute.logAppendTime : 0
  bytes.writeInt16BE(cleared | bit, position + field.attributes)
  writeBigInt64(bytes, position + field.maxTimestamp, maxTimestamp)
  seal(bytes, position, batch.sizeInBytes)
}

/** Writes the checksum of the batch at `position`, after all else has been written. */
export function seal(bytes: Buffer, position: number, sizeInBytes: number): void {
  bytes.writeUInt32BE(crcOf(bytes, position, sizeInBytes), position + field.crc)
}

function crcOf(bytes: Buffer, position: number, sizeInBytes: number): number {
  return crc32c(bytes, position + field.attributes, position + sizeInBytes)
}
