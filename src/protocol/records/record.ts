import { writeBigInt64 } from '../int64.ts'
import type { Batch, Codec, TimestampType } from './batch.ts'
import { attribute, batchOverhead, codecs, field, logOverhead, magicCurrent, none, seal } from './batch.ts'
import { bodyLengthMax, compress, decompress } from './compression.ts'
import { RecordsError } from './errors.ts'
import { RecordCursor, sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** One record. `offset` and `timestamp` are absolute; buffers are views of the batch, or of its decompressed body. */
export interface Record {
  readonly offset: bigint
  /** Milliseconds since 1970, or -1 for none. */
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export interface ReadOptions {
  /** How many bytes a compressed body may become. */
  readonly bodyLengthMax?: number
  /** Give each record the timestamp that its producer set, even where the broker's own rules (LogAppendTime). */
  readonly asCreated?: boolean
}

/**
 * Reads the records of a batch one by one. Throws RecordsError INVALID_RECORD where a record is not sound, CORRUPT_MESSAGE
 * where the body does not decompress to at most `bodyLengthMax` bytes. The checksum is not looked at.
 */
export function* readRecords(batch: Batch, options: ReadOptions = {}): Generator<Record, void, void> {
  const { recordCount, baseOffset, baseTimestamp, codec } = batch
  if (recordCount < 0) throw new RecordsError('INVALID_RECORD', `The record count is ${recordCount}`)
  if (recordCount === 0) return // what compaction leaves of a batch has no body to decompress either
  const isStamped = batch.timestampType === 'LogAppendTime' && !options.asCreated
  const appendTime = isStamped ? batch.maxTimestamp : undefined
  const body = decompress(codec, batch.body, options.bodyLengthMax ?? bodyLengthMax)
  const cursor = new RecordCursor(body)
  for (let index = 0; index < recordCount; index++) {
    const recordEnd = cursor.enterRecord(body.length)
    const timestampDelta = cursor.varlong()
    const offset = baseOffset + BigInt(cursor.varint())
    const key = readBytes(cursor)
    const value = readBytes(cursor)
    const headers = readHeaders(cursor)
    cursor.leave(recordEnd)
    const timestamp = appendTime ?? BigInt.asIntN(64, baseTimestamp + timestampDelta)
    yield { offset, timestamp, key, value, headers }
  }
  cursor.leave(body.length)
}

function readBytes(cursor: RecordCursor): Buffer | null {
  const length = cursor.varint()
  if (length < 0) return null
  const start = cursor.skip(length)
  return cursor.bytes.subarray(start, start + length)
}

const noHeaders: readonly RecordHeader[] = []

function readHeaders(cursor: RecordCursor): readonly RecordHeader[] {
  const count = cursor.varint()
  if (count === 0) return noHeaders
  if (count < 0) throw new RecordsError('INVALID_RECORD', `A record claims ${count} headers`)
  const headers: RecordHeader[] = []
  for (let index = 0; index < count; index++) {
    const key = readBytes(cursor)
    if (!key) throw new RecordsError('INVALID_RECORD', 'A header has no key')
    headers.push({ key: key.toString('utf8'), value: readBytes(cursor) })
  }
  return headers
}

/** A record to be written. Without an offset it follows the one before it; without a timestamp it has none. */
export interface RecordDraft {
  readonly offset?: bigint
  readonly timestamp?: bigint
  readonly key?: Buffer | null
  readonly value?: Buffer | null
  readonly headers?: readonly RecordHeader[]
}

/** What `buildBatch` writes; what is left out is absent (-1), false, or follows from the records. */
export interface BatchDraft {
  readonly records: readonly RecordDraft[]
  readonly baseOffset?: bigint
  readonly leaderEpoch?: number
  readonly codec?: Codec
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly timestampType?: TimestampType
  /** The batch's last offset where that is not its last record's: compaction keeps the range of a batch. */
  readonly lastOffset?: bigint
  /** By default the first record's timestamp. */
  readonly baseTimestamp?: bigint
  /** By default the greatest of the records'; the append time where the timestamp type is LogAppendTime. */
  readonly maxTimestamp?: bigint
  /** When the batch's tombstones may go (KIP-534); it takes the place of the base timestamp. */
  readonly deleteHorizonMs?: bigint | null
}

/** A whole v2 batch with its checksum. A batch without records keeps only its header, as compaction leaves it. */
export function buildBatch(draft: BatchDraft): Buffer {
  const { records } = draft
  const baseOffset = draft.baseOffset ?? 0n
  const baseTimestamp = draft.deleteHorizonMs ?? draft.baseTimestamp ?? records[0]?.timestamp ?? -1n
  let lastOffset = baseOffset - 1n
  let maxTimestamp = -1n
  const drawn = records.map(record => {
    lastOffset = record.offset ?? lastOffset + 1n
    const timestamp = record.timestamp ?? -1n
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    return drawRecord(record, Number(lastOffset - baseOffset), timestamp - baseTimestamp)
  })
  lastOffset = draft.lastOffset ?? lastOffset

  const codec = records.length === 0 ? 'none' : (draft.codec ?? 'none')
  const bodyLength = drawn.reduce((sum, { size }) => sum + sizeOfVarint(size) + size, 0)
  const head = Buffer.alloc(codec === 'none' ? batchOverhead + bodyLength : batchOverhead)
  const plain = codec === 'none' ? head : Buffer.allocUnsafe(bodyLength)
  let at = codec === 'none' ? batchOverhead : 0
  for (const record of drawn) at = writeRecord(plain, at, record)
  const bytes = codec === 'none' ? head : Buffer.concat([head, compress(codec, plain)])

  const attributes =
    codecs.indexOf(codec) |
    (draft.timestampType === 'LogAppendTime' ? attribute.logAppendTime : 0) |
    (draft.isTransactional ? attribute.transactional : 0) |
    (draft.isControl ? attribute.control : 0) |
    (draft.deleteHorizonMs == null ? 0 : attribute.deleteHorizon)
  writeBigInt64(bytes, field.baseOffset, baseOffset)
  bytes.writeInt32BE(bytes.length - logOverhead, field.batchLength)
  bytes.writeInt32BE(draft.leaderEpoch ?? none, field.partitionLeaderEpoch)
  bytes.writeInt8(magicCurrent, field.magic)
  bytes.writeInt16BE(attributes, field.attributes)
  bytes.writeInt32BE(Number(lastOffset - baseOffset), field.lastOffsetDelta)
  writeBigInt64(bytes, field.baseTimestamp, baseTimestamp)
  writeBigInt64(bytes, field.maxTimestamp, draft.maxTimestamp ?? maxTimestamp)
  writeBigInt64(bytes, field.producerId, draft.producerId ?? -1n)
  bytes.writeInt16BE(draft.producerEpoch ?? none, field.producerEpoch)
  bytes.writeInt32BE(draft.baseSequence ?? none, field.baseSequence)
  bytes.writeInt32BE(records.length, field.recordCount)
  seal(bytes, 0, bytes.length)
  return bytes
}

interface DrawnHeader {
  readonly key: Buffer
  readonly value: Buffer | null
}

interface DrawnRecord {
  readonly offsetDelta: number
  readonly timestampDelta: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly DrawnHeader[]
  /** Bytes of the record without the length before it. */
  readonly size: number
}

function drawRecord(record: RecordDraft, offsetDelta: number, timestampDelta: bigint): DrawnRecord {
  const { key = null, value = null } = record
  const headers = (record.headers ?? []).map(header => ({
    key: Buffer.from(header.key),
    value: header.value,
  }))
  let size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta)
  size += sizeOfBytes(key) + sizeOfBytes(value) + sizeOfVarint(headers.length)
  for (const header of headers) size += sizeOfBytes(header.key) + sizeOfBytes(header.value)
  return { offsetDelta, timestampDelta, key, value, headers, size }
}

function writeRecord(bytes: Buffer, position: number, record: DrawnRecord): number {
  let at = writeVarint(bytes, position, record.size)
  bytes[at++] = 0 // attributes
  at = writeVarlong(bytes, at, record.timestampDelta)
  at = writeVarint(bytes, at, record.offsetDelta)
  at = writeBytes(bytes, at, record.key)
  at = writeBytes(bytes, at, record.value)
  at = writeVarint(bytes, at, record.headers.length)
  for (const header of record.headers) at = writeBytes(bytes, writeBytes(bytes, at, header.key), header.value)
  return at
}

function sizeOfBytes(field: Buffer | null): number {
  return field === null ? 1 : sizeOfVarint(field.length) + field.length
}

function writeBytes(bytes: Buffer, position: number, field: Buffer | null): number {
  if (field === null) return writeVarint(bytes, position, -1)
  const at = writeVarint(bytes, position, field.length)
  bytes.set(field, at)
  return at + field.length
}
