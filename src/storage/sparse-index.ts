import { crc32c } from '../protocol/records/crc32c.ts'
import { readInt64, readUint64, writeInt64, writeUint64 } from '../protocol/int64.ts'

/**
 * The sparse index of a segment, `.idx`: for each partition an entry at its first batch in the segment and one each
 * stride of its records, in the order of the log. It can be made again from the directories. Big-endian, 32 bytes each; the
 * file begins with a head of the same length: magic 'ODRI', format version as uint16, then zeros.
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | partition, uint32 |
 * | 4 | 4 | position of the entry's block in the segment, uint32 |
 * | 8 | 8 | base offset, int64 |
 * | 16 | 8 | greatest timestamp of the partition in this segment, this batch included, int64 |
 * | 24 | 4 | 0 |
 * | 28 | 4 | CRC-32C of the bytes before |
 */
export const indexEntryLength = 32
const indexMagic = 0x4f445249
const indexVersion = 1

/** What the index says of one batch. */
export interface IndexEntry {
  readonly partition: number
  readonly blockPosition: number
  readonly baseOffset: number
  readonly maxTimestamp: number
}

/** The head of an index file. */
export function indexHead(): Buffer {
  const head = Buffer.alloc(indexEntryLength)
  head.writeUInt32BE(indexMagic, 0)
  head.writeUInt16BE(indexVersion, 4)
  return head
}

/** One entry's bytes. */
export function writeIndexEntry({ partition, blockPosition, baseOffset, maxTimestamp }: IndexEntry): Buffer {
  const bytes = Buffer.alloc(indexEntryLength)
  bytes.writeUInt32BE(partition, 0)
  bytes.writeUInt32BE(blockPosition, 4)
  writeUint64(bytes, 8, baseOffset)
  writeInt64(bytes, 16, maxTimestamp)
  bytes.writeUInt32BE(crc32c(bytes, 0, 28), 28)
  return bytes
}

/** The entries of a whole index file, or undefined where it is not sound. */
export function readIndex(bytes: Buffer): IndexEntry[] | undefined {
  if (bytes.length % indexEntryLength !== 0 || bytes.length === 0) return undefined
  if (!bytes.subarray(0, indexEntryLength).equals(indexHead())) return undefined
  const entries: IndexEntry[] = []
  for (let at = indexEntryLength; at < bytes.length; at += indexEntryLength) {
    if (crc32c(bytes, at, at + 28) !== bytes.readUInt32BE(at + 28)) return undefined
    entries.push({
      partition: bytes.readUInt32BE(at),
      blockPosition: bytes.readUInt32BE(at + 4),
      baseOffset: readUint64(bytes, at + 8),
      maxTimestamp: readInt64(bytes, at + 16),
    })
  }
  return entries
}
