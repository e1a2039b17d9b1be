import { crc32c } from '../protocol/records/crc32c.ts'
import { readInt64, readUint64, writeInt64, writeUint64 } from '../protocol/int64.ts'
import type { Rows } from './row.ts'
import { rowLength } from './row.ts'
import type { Run } from './run.ts'

/**
 * The end of a closed segment, by which a batch of one partition among thousands is found without a scan: all rows sorted
 * by partition and base offset (see `row.ts`; positions count from the start of the file), a table of the partitions sorted
 * by number, and a trailer. Big-endian.
 *
 * One line of the table:
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | partition, uint32 |
 * | 4 | 4 | first row, uint32 |
 * | 8 | 4 | row count, uint32 |
 * | 12 | 4 | 0 |
 * | 16 | 8 | base offset of its first batch, int64 |
 * | 24 | 8 | the offset after its last, int64 |
 * | 32 | 8 | greatest timestamp, int64 |
 * | 40 | 8 | bytes of its batches, uint64 |
 *
 * The trailer, which ends the file:
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | magic, 'ODRT' |
 * | 4 | 4 | CRC-32C of the trailer's bytes behind this field |
 * | 8 | 2 | format version, 1 |
 * | 10 | 2 | 0 |
 * | 12 | 4 | row count, uint32 |
 * | 16 | 4 | partition count, uint32 |
 * | 20 | 4 | where the rows begin, which is where the blocks end, uint32 |
 * | 24 | 8 | first block number |
 * | 32 | 8 | last block number |
 * | 40 | 4 | the CRC field of the last block's header |
 * | 44 | 4 | CRC-32C of the rows |
 * | 48 | 4 | CRC-32C of the table |
 * | 52 | 4 | length of the segment's `.idx`, uint32 |
 * | 56 | 4 | CRC-32C of the whole `.idx` |
 * | 60 | 4 | 0 |
 */
export interface Trailer {
  readonly rowCount: number
  readonly partitionCount: number
  readonly rowsPosition: number
  readonly firstBlock: number
  readonly lastBlock: number
  readonly lastHeaderCrc: number
  readonly rowsCrc: number
  readonly tableCrc: number
  readonly indexLength: number
  readonly indexCrc: number
}

/** One line of the partition table. */
export interface TableLine {
  readonly partition: number
  readonly firstRow: number
  readonly rowCount: number
  readonly baseOffset: number
  readonly nextOffset: number
  readonly maxTimestamp: number
  readonly sizeInBytes: number
}

const trailerMagic = 0x4f445254
const trailerVersion = 1
export const trailerLength = 64
export const tableLineLength = 48

/** Where the parts of a footer lie in its file. */
export function tablePosition(trailer: Trailer): number {
  return trailer.rowsPosition + trailer.rowCount * rowLength
}

/** Where the trailer ends, and the file with it. */
export function endOfFooter({ rowsPosition, rowCount, partitionCount }: Trailer): number {
  return rowsPosition + footerLength(rowCount, partitionCount)
}

export function footerLength(rowCount: number, partitionCount: number): number {
  return rowCount * rowLength + partitionCount * tableLineLength + trailerLength
}

/** A footer's bytes from the rows in RAM; tells each run where its rows are. */
export function writeFooter(
  rows: Rows,
  runs: readonly Run[],
  segment: Pick<
    Trailer,
    'rowsPosition' | 'firstBlock' | 'lastBlock' | 'lastHeaderCrc' | 'indexLength' | 'indexCrc'
  >,
): Buffer {
  const sorted = [...runs].sort((a, b) => a.partition - b.partition)
  const bytes = Buffer.alloc(footerLength(rows.count, sorted.length))
  let firstRow = 0
  for (const run of sorted) {
    run.firstRow = firstRow
    for (const ordinal of run.ordinals!) rows.copy(ordinal, 1, bytes, firstRow++ * rowLength)
  }
  const tableAt = firstRow * rowLength
  sorted.forEach((run, index) => writeTableLine(bytes, tableAt + index * tableLineLength, run))
  const at = tableAt + sorted.length * tableLineLength
  bytes.writeUInt32BE(trailerMagic, at)
  bytes.writeUInt16BE(trailerVersion, at + 8)
  bytes.writeUInt32BE(firstRow, at + 12)
  bytes.writeUInt32BE(sorted.length, at + 16)
  bytes.writeUInt32BE(segment.rowsPosition, at + 20)
  writeUint64(bytes, at + 24, segment.firstBlock)
  writeUint64(bytes, at + 32, segment.lastBlock)
  bytes.writeUInt32BE(segment.lastHeaderCrc, at + 40)
  bytes.writeUInt32BE(crc32c(bytes, 0, tableAt), at + 44)
  bytes.writeUInt32BE(crc32c(bytes, tableAt, at), at + 48)
  bytes.writeUInt32BE(segment.indexLength, at + 52)
  bytes.writeUInt32BE(segment.indexCrc, at + 56)
  bytes.writeUInt32BE(crc32c(bytes, at + 8, at + trailerLength), at + 4)
  return bytes
}

function writeTableLine(bytes: Buffer, at: number, run: TableLine): void {
  bytes.writeUInt32BE(run.partition, at)
  bytes.writeUInt32BE(run.firstRow, at + 4)
  bytes.writeUInt32BE(run.rowCount, at + 8)
  writeUint64(bytes, at + 16, run.baseOffset)
  writeUint64(bytes, at + 24, run.nextOffset)
  writeInt64(bytes, at + 32, run.maxTimestamp)
  writeUint64(bytes, at + 40, run.sizeInBytes)
}

/** The trailer in the bytes before `end` of a file, or undefined where there is no sound one. */
export function readTrailer(bytes: Buffer, end: number): Trailer | undefined {
  if (bytes.length !== trailerLength || bytes.readUInt32BE(0) !== trailerMagic) return undefined
  if (bytes.readUInt16BE(8) !== trailerVersion || bytes.readUInt32BE(4) !== crc32c(bytes, 8)) return undefined
  const trailer: Trailer = {
    rowCount: bytes.readUInt32BE(12),
    partitionCount: bytes.readUInt32BE(16),
    rowsPosition: bytes.readUInt32BE(20),
    firstBlock: readUint64(bytes, 24),
    lastBlock: readUint64(bytes, 32),
    lastHeaderCrc: bytes.readUInt32BE(40),
    rowsCrc: bytes.readUInt32BE(44),
    tableCrc: bytes.readUInt32BE(48),
    indexLength: bytes.readUInt32BE(52),
    indexCrc: bytes.readUInt32BE(56),
  }
  return endOfFooter(trailer) === end ? trailer : undefined
}

/** The lines of a partition table, or undefined where it is not sound. */
export function readTable(bytes: Buffer, trailer: Trailer): TableLine[] | undefined {
  if (crc32c(bytes) !== trailer.tableCrc) return undefined
  const lines: TableLine[] = []
  for (let at = 0; at < bytes.length; at += tableLineLength) {
    lines.push({
      partition: bytes.readUInt32BE(at),
      firstRow: bytes.readUInt32BE(at + 4),
      rowCount: bytes.readUInt32BE(at + 8),
      baseOffset: readUint64(bytes, at + 16),
      nextOffset: readUint64(bytes, at + 24),
      maxTimestamp: readInt64(bytes, at + 32),
      sizeInBytes: readUint64(bytes, at + 40),
    })
  }
  return lines
}
