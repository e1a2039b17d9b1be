import { decode, encode } from '../protocol/compile.ts'
import { MalformedError } from '../protocol/reader.ts'
import { crc32c } from '../protocol/records/crc32c.ts'
import {
  array,
  int16,
  int32,
  int64,
  message,
  roundedInt64,
  struct,
  uint32,
  type Draft,
  type Of,
} from '../protocol/schema.ts'
import { readUint64, writeUint64 } from '../protocol/int64.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { PartitionState } from './partition-state.ts'

/** The bookmarks of a shard's partitions as of one block: everything that is not found in the segments' footers. */
export const Bookmarks = message(
  { versions: '0-2', flexible: '0+' },
  {
    /** Segments of this generation and later ones were in nobody's place yet. */
    generationSwapped: int32.in('1+'),
    partitions: array(
      struct({
        partition: uint32,
        logStartOffset: roundedInt64,
        nextOffset: roundedInt64,
        leaderEpochs: array(struct({ epoch: int32, startOffset: roundedInt64 })),
        producers: array(
          struct({
            producerId: int64,
            epoch: int16,
            lastTimestamp: roundedInt64,
            coordinatorEpoch: int32.in('2+').or(-1),
            batches: array(
              struct({
                firstSequence: int32,
                lastSequence: int32,
                lastOffset: roundedInt64,
                offsetDelta: int32,
                timestamp: roundedInt64,
              }),
            ),
          }),
        ),
        /** Producers may have been forgotten that wrote nothing since. */
        producersExpiredMs: roundedInt64.in('2+').or(-1),
        openTransactions: array(struct({ producerId: int64, firstOffset: roundedInt64 })).in('2+'),
        abortedTransactions: array(
          struct({
            producerId: int64,
            firstOffset: roundedInt64,
            lastOffset: roundedInt64,
            lastStableOffset: roundedInt64,
          }),
        ).in('2+'),
        /** Where the segments below end; what comes behind is to be cut anew. */
        segmentsEndOffset: roundedInt64.in('1+'),
        segments: array(
          struct({
            baseOffset: roundedInt64,
            sizeInBytes: roundedInt64,
            firstTimestamp: roundedInt64,
            greatestTimestamp: roundedInt64,
            createdMs: roundedInt64,
            lastWriteMs: roundedInt64,
          }),
        ).in('1+'),
      }),
    ),
  },
)

/**
 * The head of a shard's checkpoint file; `Bookmarks` follows, at a version that is one less than the format's. Big-endian. The file is replaced as a whole.
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | magic, 'ODRC' |
 * | 4 | 4 | CRC-32C of all the bytes behind this field |
 * | 8 | 2 | format version, 3 |
 * | 10 | 2 | 0 |
 * | 12 | 4 | the CRC field of the block's header |
 * | 16 | 8 | block number: what that block and those before it did is in the bookmarks |
 * | 24 | 8 | the segment, by its first block number |
 * | 32 | 8 | where the block ends in the segment |
 * | 40 | 8 | LSN of its last entry |
 * | 48 | 8 | commit time of the block |
 * | 56 | 4 | block epoch |
 * | 60 | 4 | length of what follows |
 */
export interface CheckpointHead {
  readonly headerCrc: number
  readonly blockNumber: number
  readonly segment: number
  readonly position: number
  readonly lsn: number
  readonly commitTime: number
  readonly blockEpoch: number
}

const headLength = 64
const checkpointMagic = 0x4f445243
const checkpointVersion = 3
const bookmarksVersion = 2

/** The bookmarks as they stand, encoded at once. */
export function writeBookmarks(states: Iterable<PartitionState>, generationSwapped: number): Buffer {
  const partitions: Draft<typeof Bookmarks>['partitions'][number][] = []
  for (const state of states) {
    if (state.nextOffset === 0) continue
    partitions.push({
      partition: state.partition,
      logStartOffset: state.logStart,
      nextOffset: state.nextOffset,
      leaderEpochs: state.epochs.entries,
      producers: [...state.producers],
      producersExpiredMs: state.producers.expiredMs,
      openTransactions: [...state.transactions.open()],
      abortedTransactions: state.transactions.aborted.entries,
      segmentsEndOffset: state.virtualSegments.endOffset,
      segments: state.virtualSegments.bookmarks,
    })
  }
  return encode(Bookmarks, bookmarksVersion, { generationSwapped, partitions })
}

/** A whole checkpoint file. */
export function writeCheckpoint(head: CheckpointHead, bookmarks: Buffer): Buffer {
  const bytes = Buffer.alloc(headLength + bookmarks.length)
  bytes.writeUInt32BE(checkpointMagic, 0)
  bytes.writeUInt16BE(checkpointVersion, 8)
  bytes.writeUInt32BE(head.headerCrc, 12)
  writeUint64(bytes, 16, head.blockNumber)
  writeUint64(bytes, 24, head.segment)
  writeUint64(bytes, 32, head.position)
  writeUint64(bytes, 40, head.lsn)
  writeUint64(bytes, 48, head.commitTime)
  bytes.writeUInt32BE(head.blockEpoch, 56)
  bytes.writeUInt32BE(bookmarks.length, 60)
  bookmarks.copy(bytes, headLength)
  bytes.writeUInt32BE(crc32c(bytes, 8), 4)
  return bytes
}

/** What a checkpoint file says. */
export interface Checkpoint {
  readonly head: CheckpointHead
  readonly states: PartitionState[]
  /** Segments of this generation and later ones were rewritten since. */
  readonly generationSwapped: number
}

/** A checkpoint, or undefined where the file is missing or not sound: then the whole log says what it would. */
export function readCheckpoint(bytes: Buffer | undefined): Checkpoint | undefined {
  if (!bytes || bytes.length < headLength || bytes.readUInt32BE(0) !== checkpointMagic) return undefined
  if (bytes.readUInt32BE(4) !== crc32c(bytes, 8) || bytes.readUInt16BE(8) !== checkpointVersion)
    return undefined
  const head: CheckpointHead = {
    headerCrc: bytes.readUInt32BE(12),
    blockNumber: readUint64(bytes, 16),
    segment: readUint64(bytes, 24),
    position: readUint64(bytes, 32),
    lsn: readUint64(bytes, 40),
    commitTime: readUint64(bytes, 48),
    blockEpoch: bytes.readUInt32BE(56),
  }
  try {
    const { partitions, generationSwapped } = decode(Bookmarks, bookmarksVersion, bytes.subarray(headLength))
    return { head, states: partitions.map(stateOf), generationSwapped }
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

function stateOf(bookmark: Of<typeof Bookmarks>['partitions'][number]): PartitionState {
  const state = new PartitionState(bookmark.partition)
  state.logStart = bookmark.logStartOffset
  state.nextOffset = bookmark.nextOffset
  state.epochs = new LeaderEpochs(bookmark.leaderEpochs)
  for (const producer of bookmark.producers) state.producers.restore(producer)
  state.producers.expiredMs = bookmark.producersExpiredMs
  state.transactions.restore(bookmark.openTransactions, bookmark.abortedTransactions)
  state.virtualSegments.restore(bookmark.segments, bookmark.segmentsEndOffset)
  return state
}
