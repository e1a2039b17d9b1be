import { decode, encode } from '../protocol/compile.ts'
import { MalformedError } from '../protocol/reader.ts'
import { crc32c } from '../protocol/records/crc32c.ts'
import { array, int16, int32, int64, message, struct, uint32, type Of } from '../protocol/schema.ts'
import { readUint64, toInt64, writeUint64 } from './integers.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { PartitionState } from './partition-state.ts'

/** The bookmarks of a shard's partitions as of one block: everything that is not found in the segments' footers. */
export const Bookmarks = message(
  { versions: '0-2', flexible: '0+' },
  {
    /** The generation that the next rewritten segment was to get. */
    generationNext: int32.in('1+'),
    partitions: array(
      struct({
        partition: uint32,
        logStartOffset: int64,
        nextOffset: int64,
        leaderEpochs: array(struct({ epoch: int32, startOffset: int64 })),
        producers: array(
          struct({
            producerId: int64,
            epoch: int16,
            lastTimestamp: int64,
            coordinatorEpoch: int32.in('2+').or(-1),
            batches: array(
              struct({
                firstSequence: int32,
                lastSequence: int32,
                lastOffset: int64,
                offsetDelta: int32,
                timestamp: int64,
              }),
            ),
          }),
        ),
        /** Producers may have been forgotten that wrote nothing since. */
        producersExpiredMs: int64.in('2+').or(-1n),
        openTransactions: array(struct({ producerId: int64, firstOffset: int64 })).in('2+'),
        abortedTransactions: array(
          struct({ producerId: int64, firstOffset: int64, lastOffset: int64, lastStableOffset: int64 }),
        ).in('2+'),
        /** Where the segments below end; what comes behind is to be cut anew. */
        segmentsEndOffset: int64.in('1+'),
        segments: array(
          struct({
            baseOffset: int64,
            sizeInBytes: int64,
            firstTimestamp: int64,
            greatestTimestamp: int64,
            createdMs: int64,
            lastWriteMs: int64,
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
export function writeBookmarks(states: Iterable<PartitionState>, generationNext: number): Buffer {
  const partitions = []
  for (const state of states) {
    if (state.nextOffset === 0) continue
    partitions.push({
      partition: state.partition,
      logStartOffset: BigInt(state.logStart),
      nextOffset: BigInt(state.nextOffset),
      leaderEpochs: state.epochs.entries.map(({ epoch, startOffset }) => ({
        epoch,
        startOffset: BigInt(startOffset),
      })),
      producers: [...state.producers.entries()].map(([producerId, producer]) => ({
        ...producer,
        producerId,
        lastTimestamp: toInt64(producer.lastTimestamp),
        batches: producer.batches.map(batch => ({
          ...batch,
          lastOffset: BigInt(batch.lastOffset),
          timestamp: toInt64(batch.timestamp),
        })),
      })),
      producersExpiredMs: toInt64(state.producers.expiredMs),
      openTransactions: [...state.transactions.open()].map(({ producerId, firstOffset }) => ({
        producerId,
        firstOffset: BigInt(firstOffset),
      })),
      abortedTransactions: state.transactions.aborted.entries.map(aborted => ({
        producerId: aborted.producerId,
        firstOffset: BigInt(aborted.firstOffset),
        lastOffset: BigInt(aborted.lastOffset),
        lastStableOffset: BigInt(aborted.lastStableOffset),
      })),
      segmentsEndOffset: BigInt(state.virtualSegments.endOffset),
      segments: state.virtualSegments.bookmarks.map(segment => ({
        baseOffset: BigInt(segment.baseOffset),
        sizeInBytes: BigInt(segment.sizeInBytes),
        firstTimestamp: toInt64(segment.firstTimestamp),
        greatestTimestamp: toInt64(segment.greatestTimestamp),
        createdMs: toInt64(segment.createdMs),
        lastWriteMs: toInt64(segment.lastWriteMs),
      })),
    })
  }
  return encode(Bookmarks, bookmarksVersion, { generationNext, partitions })
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
  readonly generationNext: number
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
    const { partitions, generationNext } = decode(Bookmarks, bookmarksVersion, bytes.subarray(headLength))
    return { head, states: partitions.map(stateOf), generationNext }
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

function stateOf(bookmark: Of<typeof Bookmarks>['partitions'][number]): PartitionState {
  const state = new PartitionState(bookmark.partition)
  state.logStart = Number(bookmark.logStartOffset)
  state.nextOffset = Number(bookmark.nextOffset)
  state.epochs = new LeaderEpochs(
    bookmark.leaderEpochs.map(({ epoch, startOffset }) => ({ epoch, startOffset: Number(startOffset) })),
  )
  for (const { producerId, epoch, lastTimestamp, coordinatorEpoch, batches } of bookmark.producers) {
    state.producers.restore(producerId, {
      epoch,
      lastTimestamp: Number(lastTimestamp),
      coordinatorEpoch,
      batches: batches.map(batch => ({
        ...batch,
        lastOffset: Number(batch.lastOffset),
        timestamp: Number(batch.timestamp),
      })),
    })
  }
  state.producers.expiredMs = Number(bookmark.producersExpiredMs)
  state.transactions.restore(
    bookmark.openTransactions.map(({ producerId, firstOffset }) => ({
      producerId,
      firstOffset: Number(firstOffset),
    })),
    bookmark.abortedTransactions.map(aborted => ({
      producerId: aborted.producerId,
      firstOffset: Number(aborted.firstOffset),
      lastOffset: Number(aborted.lastOffset),
      lastStableOffset: Number(aborted.lastStableOffset),
    })),
  )
  const segments = bookmark.segments.map(segment => ({
    baseOffset: Number(segment.baseOffset),
    sizeInBytes: Number(segment.sizeInBytes),
    firstTimestamp: Number(segment.firstTimestamp),
    greatestTimestamp: Number(segment.greatestTimestamp),
    createdMs: Number(segment.createdMs),
    lastWriteMs: Number(segment.lastWriteMs),
  }))
  state.virtualSegments.restore(segments, Number(bookmark.segmentsEndOffset))
  return state
}
