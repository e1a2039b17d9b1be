import { crc32c } from '../protocol/records/crc32c.ts'
import { readUint64, writeUint64 } from '../protocol/int64.ts'
import type { Tail } from './walk.ts'

/**
 * A shard's manifest says which files stand for blocks that were rewritten, and which partitions were compacted so. Without it, and
 * for blocks that it does not name, the files that blocks were first written to count. Big-endian; the file is replaced as a whole.
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | magic, 'ODRM' |
 * | 4 | 4 | CRC-32C of all the bytes behind this field |
 * | 8 | 2 | format version, 1 |
 * | 10 | 2 | 0 |
 * | 12 | 4 | count of lines |
 * | 16 | 4 | the generation that the next file gets; none is given twice, and each change of what counts takes one too |
 * | 20 | 4 | count of compacted partitions |
 * | 24 | 8 | horizon: how things were before this LSN cannot be told any more |
 *
 * One line, 64 bytes each, in the order of the blocks, which no two lines share:
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 8 | number of the first block that it is about |
 * | 8 | 8 | number of the last |
 * | 16 | 4 | generation of the file with what is kept of them; 0 where nothing is, and there is no file |
 * | 20 | 4 | where the file's blocks end |
 * | 24 | 4 | the CRC field of the last block's header, as it was first written |
 * | 28 | 4 | block epoch of the last block |
 * | 32 | 8 | LSN of the last block's last entry, as it was first written |
 * | 40 | 8 | commit time of the last block |
 * | 48 | 16 | 0 |
 *
 * One compacted partition, 24 bytes each, behind the lines:
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | partition, uint32 |
 * | 4 | 4 | 0 |
 * | 8 | 8 | where the last cleaning ended that was finished: the next one's first dirty offset |
 * | 16 | 8 | below this, offsets may be missing: a cleaning that was not finished may have gone further |
 *
 * A new file is synced whole before a manifest names it, and what it stands for is removed after that. So files that the manifest
 * replaces, or does not name, are left over from a crash.
 */
export interface Manifest {
  readonly generationNext: number
  readonly horizonLsn: number
  readonly lines: readonly ManifestLine[]
  readonly compacted: readonly CompactedPartition[]
}

/** How far a partition was compacted. */
export interface CompactedPartition {
  readonly partition: number
  /** Where the last finished cleaning ended. */
  readonly cleanedOffset: number
  /** Below this, offsets may be missing. */
  readonly compactedOffset: number
}

/** Blocks that were rewritten, from `tail.segment` to `tail.blockNumber`, and where what is kept of them is. */
export interface ManifestLine {
  /** 0 where nothing is left. */
  readonly generation: number
  /** The last of them as it was first written; `position` is where the blocks of the file end. */
  readonly tail: Tail
}

export const emptyManifest: Manifest = { generationNext: 1, horizonLsn: 0, lines: [], compacted: [] }

const headLength = 32
const lineLength = 64
const compactedLength = 24
const manifestMagic = 0x4f44524d
const manifestVersion = 1

/** A whole manifest file. */
export function writeManifest({ generationNext, horizonLsn, lines, compacted }: Manifest): Buffer {
  const compactedAt = headLength + lines.length * lineLength
  const bytes = Buffer.alloc(compactedAt + compacted.length * compactedLength)
  bytes.writeUInt32BE(manifestMagic, 0)
  bytes.writeUInt16BE(manifestVersion, 8)
  bytes.writeUInt32BE(lines.length, 12)
  bytes.writeUInt32BE(generationNext, 16)
  bytes.writeUInt32BE(compacted.length, 20)
  writeUint64(bytes, 24, horizonLsn)
  for (const [index, line] of lines.entries()) writeLine(bytes, headLength + index * lineLength, line)
  for (const [index, { partition, cleanedOffset, compactedOffset }] of compacted.entries()) {
    const at = compactedAt + index * compactedLength
    bytes.writeUInt32BE(partition, at)
    writeUint64(bytes, at + 8, cleanedOffset)
    writeUint64(bytes, at + 16, compactedOffset)
  }
  bytes.writeUInt32BE(crc32c(bytes, 8), 4)
  return bytes
}

function writeLine(bytes: Buffer, at: number, { generation, tail }: ManifestLine): void {
  writeUint64(bytes, at, tail.segment)
  writeUint64(bytes, at + 8, tail.blockNumber)
  bytes.writeUInt32BE(generation, at + 16)
  bytes.writeUInt32BE(tail.position, at + 20)
  bytes.writeUInt32BE(tail.headerCrc, at + 24)
  bytes.writeUInt32BE(tail.blockEpoch, at + 28)
  writeUint64(bytes, at + 32, tail.lsn)
  writeUint64(bytes, at + 40, tail.commitTime)
}

/** What a manifest file says; undefined where it is not sound, which no crash does. */
export function readManifest(bytes: Buffer): Manifest | undefined {
  if (bytes.length < headLength || bytes.readUInt32BE(0) !== manifestMagic) return undefined
  if (bytes.readUInt32BE(4) !== crc32c(bytes, 8) || bytes.readUInt16BE(8) !== manifestVersion)
    return undefined
  const count = bytes.readUInt32BE(12)
  const compactedCount = bytes.readUInt32BE(20)
  const compactedAt = headLength + count * lineLength
  if (bytes.length !== compactedAt + compactedCount * compactedLength) return undefined
  return {
    generationNext: bytes.readUInt32BE(16),
    horizonLsn: readUint64(bytes, 24),
    lines: Array.from({ length: count }, (_, index) => readLine(bytes, headLength + index * lineLength)),
    compacted: Array.from({ length: compactedCount }, (_, index) => {
      const at = compactedAt + index * compactedLength
      return {
        partition: bytes.readUInt32BE(at),
        cleanedOffset: readUint64(bytes, at + 8),
        compactedOffset: readUint64(bytes, at + 16),
      }
    }),
  }
}

function readLine(bytes: Buffer, at: number): ManifestLine {
  return {
    generation: bytes.readUInt32BE(at + 16),
    tail: {
      segment: readUint64(bytes, at),
      blockNumber: readUint64(bytes, at + 8),
      position: bytes.readUInt32BE(at + 20),
      headerCrc: bytes.readUInt32BE(at + 24),
      blockEpoch: bytes.readUInt32BE(at + 28),
      lsn: readUint64(bytes, at + 32),
      commitTime: readUint64(bytes, at + 40),
    },
  }
}

/**
 * The lines once `line` stands for its blocks. Lines about nothing that follow one another become one, unless one of the segments
 * that begin at `firstBlocks` lies between them: so there are never many more than segments.
 */
export function withLine(
  lines: readonly ManifestLine[],
  line: ManifestLine,
  firstBlocks: readonly number[],
): ManifestLine[] {
  const { segment, blockNumber } = line.tail
  const others = lines.filter(({ tail }) => tail.blockNumber < segment || tail.segment > blockNumber)
  const sorted = [...others, line].sort((a, b) => a.tail.segment - b.tail.segment)
  const joined: ManifestLine[] = []
  for (const next of sorted) {
    const last = joined.at(-1)
    const isSame = last?.generation === 0 && next.generation === 0
    const from = last?.tail.segment ?? 0
    if (isSame && !firstBlocks.some(each => from < each && each < next.tail.segment)) {
      joined[joined.length - 1] = { generation: 0, tail: { ...next.tail, segment: from } }
    } else {
      joined.push(next)
    }
  }
  return joined
}
