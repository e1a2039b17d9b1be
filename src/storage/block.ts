import { crc32c } from '../protocol/records/crc32c.ts'
import { readUint64, writeUint64 } from '../protocol/int64.ts'
import { rowLength } from './row.ts'

/**
 * A block is what is committed together: a header, a directory with a row per entry, and the body, which is the entries'
 * batches one after another in the directory's order. Blocks lie back to back. Big-endian.
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | magic, 'ODRB' |
 * | 4 | 4 | CRC-32C of the rest of the header and of the directory |
 * | 8 | 2 | format version, 1 |
 * | 10 | 2 | flags: 1 for a block of a rewritten segment, else 0 |
 * | 12 | 4 | the CRC field of the block before, 0 for the shard's first |
 * | 16 | 8 | block number: the shard's own count, +1 each, from 1 |
 * | 24 | 4 | block epoch: the broker's start count, never falling |
 * | 28 | 4 | shard |
 * | 32 | 8 | LSN of the first entry |
 * | 40 | 8 | LSN of the last entry |
 * | 48 | 8 | the greatest block number that was known to be synced when this header was written |
 * | 56 | 8 | commit time in milliseconds since 1970, never falling |
 * | 64 | 4 | entry count |
 * | 68 | 4 | directory length in bytes |
 * | 72 | 4 | body length in bytes |
 * | 76 | 4 | 0 |
 *
 * Whoever walks blocks stops at the first that breaks CRC, chain, epoch or LSN. So a file may hold anything behind its
 * last block: the rest of a torn one, or older blocks where a file was used before.
 *
 * A rewritten segment holds what was worth keeping of blocks that were written before. Its blocks have the numbers, epochs and
 * times that they had, LSNs of the entries that are left, and the CRC field of the block before them in the same file, 0 in the
 * first; numbers that are missing had nothing left.
 */
export interface BlockHeader {
  readonly crc: number
  /** It stands in a rewritten segment. */
  readonly isRewritten: boolean
  readonly previousCrc: number
  readonly number: number
  readonly epoch: number
  readonly shard: number
  readonly firstLsn: number
  readonly lastLsn: number
  readonly knownSynced: number
  readonly commitTime: number
  readonly entryCount: number
  readonly directoryLength: number
  readonly bodyLength: number
}

export const blockHeaderLength = 80
export const blockMagic = 0x4f445242
export const blockVersion = 1
const rewrittenFlag = 1

/** Bytes of a block of so many entries. */
export function blockLength(entryCount: number, bodyLength: number): number {
  return blockHeaderLength + entryCount * rowLength + bodyLength
}

/** Writes a header before the directory that already stands in `bytes`; returns the checksum. */
export function writeBlockHeader(
  bytes: Buffer,
  header: Omit<BlockHeader, 'crc' | 'directoryLength' | 'isRewritten'> & { readonly isRewritten?: boolean },
): number {
  bytes.fill(0, 0, blockHeaderLength)
  bytes.writeUInt32BE(blockMagic, 0)
  bytes.writeUInt16BE(blockVersion, 8)
  bytes.writeUInt16BE(header.isRewritten ? rewrittenFlag : 0, 10)
  bytes.writeUInt32BE(header.previousCrc, 12)
  writeUint64(bytes, 16, header.number)
  bytes.writeUInt32BE(header.epoch, 24)
  bytes.writeUInt32BE(header.shard, 28)
  writeUint64(bytes, 32, header.firstLsn)
  writeUint64(bytes, 40, header.lastLsn)
  writeUint64(bytes, 48, header.knownSynced)
  writeUint64(bytes, 56, header.commitTime)
  bytes.writeUInt32BE(header.entryCount, 64)
  bytes.writeUInt32BE(header.entryCount * rowLength, 68)
  bytes.writeUInt32BE(header.bodyLength, 72)
  const crc = crc32c(bytes, 8, blockHeaderLength + header.entryCount * rowLength)
  bytes.writeUInt32BE(crc, 4)
  return crc
}

/** The header at `at`, or undefined where there is none; nothing but the magic is checked. */
export function readBlockHeader(bytes: Buffer, at: number): BlockHeader | undefined {
  if (bytes.length - at < blockHeaderLength || bytes.readUInt32BE(at) !== blockMagic) return undefined
  return {
    crc: bytes.readUInt32BE(at + 4),
    isRewritten: (bytes.readUInt16BE(at + 10) & rewrittenFlag) !== 0,
    previousCrc: bytes.readUInt32BE(at + 12),
    number: readUint64(bytes, at + 16),
    epoch: bytes.readUInt32BE(at + 24),
    shard: bytes.readUInt32BE(at + 28),
    firstLsn: readUint64(bytes, at + 32),
    lastLsn: readUint64(bytes, at + 40),
    knownSynced: readUint64(bytes, at + 48),
    commitTime: readUint64(bytes, at + 56),
    entryCount: bytes.readUInt32BE(at + 64),
    directoryLength: bytes.readUInt32BE(at + 68),
    bodyLength: bytes.readUInt32BE(at + 72),
  }
}

/** The format version of the block at `at`. */
export function readBlockVersion(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at + 8)
}

/** Whether the checksum at `at` is that of a header and directory which lie wholly in `bytes`. */
export function isBlockHeaderSound(bytes: Buffer, at: number): boolean {
  const end = at + blockHeaderLength + bytes.readUInt32BE(at + 68)
  return end <= bytes.length && bytes.readUInt32BE(at + 4) === crc32c(bytes, at + 8, end)
}
