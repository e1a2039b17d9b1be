import { crc32 } from 'node:zlib'
import { readBigInt64 } from '../int64.ts'
import type { Codec, TimestampType } from './batch.ts'
import { attribute, codecs, logOverhead } from './batch.ts'
import { bodyLengthMax, decompress } from './compression.ts'
import { RecordsError } from './errors.ts'
import type { Record } from './record.ts'

const at = { offset: 0, messageSize: 8, crc: 12, magic: 16, attributes: 17, timestamp: 18 } as const
// Bytes of a message with neither key nor value, from its checksum on, by format.
const messageSizeMin = [14, 22] as const

/**
 * One entry of a message set of format 0 or 1 as it lies in `bytes`: a message, or a compressed wrapper of messages. These
 * formats ended with Kafka 4.0 (KIP-724); they are read for the sake of old data and never written.
 */
export class LegacyMessage {
  readonly bytes: Buffer
  readonly position: number

  constructor(bytes: Buffer, position: number) {
    this.bytes = bytes
    this.position = position
  }

  /** The message's offset; a wrapper's is that of its last message. */
  get offset(): bigint {
    return readBigInt64(this.bytes, this.position)
  }
  get messageSize(): number {
    return this.bytes.readInt32BE(this.position + at.messageSize)
  }
  get sizeInBytes(): number {
    return logOverhead + this.messageSize
  }
  /** The CRC-32 (not the CRC-32C of format 2) as stored, unsigned. */
  get crc(): number {
    return this.bytes.readUInt32BE(this.position + at.crc)
  }
  get magic(): 0 | 1 {
    return this.bytes[this.position + at.magic] === 0 ? 0 : 1
  }
  get attributes(): number {
    return this.bytes[this.position + at.attributes]!
  }
  /** Throws RecordsError UNSUPPORTED_COMPRESSION_TYPE for what these formats cannot be compressed with. */
  get codec(): Codec {
    const id = this.attributes & attribute.codecMask
    const codec = codecs[id]
    if (!codec || codec === 'zstd') {
      throw new RecordsError(
        'UNSUPPORTED_COMPRESSION_TYPE',
        `Compression codec ${id} in message format ${this.magic}`,
      )
    }
    return codec
  }
  get timestampType(): TimestampType | 'NoTimestampType' {
    if (this.magic === 0) return 'NoTimestampType'
    return this.attributes & attribute.logAppendTime ? 'LogAppendTime' : 'CreateTime'
  }
  /** Milliseconds since 1970, or -1 for none. */
  get timestamp(): bigint {
    return this.magic === 0 ? -1n : readBigInt64(this.bytes, this.position + at.timestamp)
  }
  /** Whether the stored checksum is that of the bytes. */
  get isSound(): boolean {
    return this.crc === crc32(this.bytes.subarray(this.position + at.magic, this.position + this.sizeInBytes))
  }
}

/**
 * Each whole entry of a message set; one cut short at the end is left out. Throws RecordsError CORRUPT_MESSAGE where lengths
 * or the magic are wrong.
 */
export function* legacyMessagesIn(bytes: Buffer): Generator<LegacyMessage, void, void> {
  for (let position = 0; bytes.length - position > at.magic;) {
    const messageSize = bytes.readInt32BE(position + at.messageSize)
    const magic = bytes[position + at.magic]
    if (magic !== 0 && magic !== 1)
      throw new RecordsError('CORRUPT_MESSAGE', `Magic ${magic} in a message set`)
    if (messageSize < messageSizeMin[magic]) {
      throw new RecordsError(
        'CORRUPT_MESSAGE',
        `A message of ${messageSize} bytes is smaller than its own header`,
      )
    }
    if (logOverhead + messageSize > bytes.length - position) return
    yield new LegacyMessage(bytes, position)
    position += logOverhead + messageSize
  }
}

/**
 * The record of a message, or the records of a wrapper with absolute offsets. Throws RecordsError INVALID_RECORD where a
 * message is not sound, CORRUPT_MESSAGE where a wrapper's value does not decompress to at most `bodyLengthMax` bytes.
 */
export function readLegacyRecords(
  message: LegacyMessage,
  limits: { readonly bodyLengthMax?: number } = {},
): readonly Record[] {
  const outer = readRecord(message)
  if (message.codec === 'none') return [outer]
  if (!outer.value) throw new RecordsError('INVALID_RECORD', 'A compressed message has no value')

  const body = decompress(message.codec, outer.value, limits.bodyLengthMax ?? bodyLengthMax)
  const records: Record[] = []
  let length = 0
  for (const inner of legacyMessagesIn(body)) {
    if (inner.magic !== message.magic || inner.codec !== 'none') {
      throw new RecordsError(
        'INVALID_RECORD',
        'A compressed message holds one of another format, or a compressed one',
      )
    }
    records.push(readRecord(inner))
    length += inner.sizeInBytes
  }
  const last = records.at(-1)
  if (!last || length < body.length)
    throw new RecordsError('INVALID_RECORD', 'A compressed message ends too early')
  if (message.magic === 0) return records

  // In format 1 (KIP-31) inner offsets are relative, and the wrapper has the last one's absolute offset.
  const baseOffset = message.offset - last.offset
  const appendTime = message.timestampType === 'LogAppendTime' ? message.timestamp : undefined
  return records.map(record => ({
    ...record,
    offset: baseOffset + record.offset,
    timestamp: appendTime ?? record.timestamp,
  }))
}

function readRecord(message: LegacyMessage): Record {
  const { bytes, position, magic, offset, timestamp } = message
  const end = position + message.sizeInBytes
  const key = readBytes(bytes, position + (magic === 0 ? at.timestamp : at.timestamp + 8), end)
  const value = readBytes(bytes, key.end, end)
  if (value.end !== end) throw new RecordsError('INVALID_RECORD', 'Bytes are left over after a message')
  return { offset, timestamp, key: key.bytes, value: value.bytes, headers: [] }
}

function readBytes(bytes: Buffer, position: number, end: number): { bytes: Buffer | null; end: number } {
  const length = end - position < 4 ? Infinity : bytes.readInt32BE(position)
  const start = position + 4
  if (length > end - start) throw new RecordsError('INVALID_RECORD', 'A field reaches past its message')
  return length < 0
    ? { bytes: null, end: start }
    : { bytes: bytes.subarray(start, start + length), end: start + length }
}
