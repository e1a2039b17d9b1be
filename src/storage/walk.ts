import type { DiskFile } from '../base/disk.ts'
import { Batch, batchOverhead } from '../protocol/records/batch.ts'
import {
  blockHeaderLength,
  blockMagic,
  blockVersion,
  isBlockHeaderSound,
  readBlockHeader,
  readBlockVersion,
  type BlockHeader,
} from './block.ts'
import { StorageFormatError } from './errors.ts'
import { agrees, rowLength, RowView } from './row.ts'
import { isUnreadable } from './unreadable.ts'

/** A committed position: the last block before it, and what the next one must follow. */
export interface Tail {
  readonly blockNumber: number
  readonly headerCrc: number
  /** By its first block number. */
  readonly segment: number
  /** Where the block ends in the segment. */
  readonly position: number
  readonly lsn: number
  readonly commitTime: number
  readonly blockEpoch: number
}

/** Before a shard's first block. */
export const beginning: Tail = {
  blockNumber: 0,
  headerCrc: 0,
  segment: 1,
  position: 0,
  lsn: 0,
  commitTime: 0,
  blockEpoch: 0,
}

/** A sound block under the walker's feet. The buffers are valid until the next step. */
export interface WalkedBlock {
  readonly header: BlockHeader
  readonly position: number
  readonly bytes: Buffer
  /** Where the directory begins in `bytes`. */
  readonly directoryAt: number
}

export interface Walk {
  /** The last sound block, and where it ends. */
  readonly tail: Tail
  /** Why the walk ended there; undefined at the end of the file. */
  readonly broken: string | undefined
  /** It ended where the disk does not give back what is there, which may be sound and synced. */
  readonly isUnreadable: boolean
}

export interface WalkOptions {
  readonly shard: number
  /** The segment, by its first block number. */
  readonly segment: number
  /** Bytes of the file to look at. */
  readonly end: number
  /** What the first block must follow; undefined where what came before it is gone. */
  readonly after: Tail | undefined
  /** The segment was rewritten: numbers may be missing, and the chain is the file's own. */
  readonly isRewritten?: boolean
  /** The batches of blocks from this number on are checked too. */
  readonly checkedFrom: number
  /** Told of each sound block; the walk waits for those who have to. */
  visit(block: WalkedBlock): void | Promise<void>
}

const windowLength = 256 * 1024

/** Walks over a segment's blocks for as long as they are sound and follow one another. */
export async function walk(file: DiskFile, options: WalkOptions): Promise<Walk> {
  const { end, segment } = options
  const window = new Window(file, end)
  let tail = options.after
  let position = 0
  const stop = (broken: string | undefined, isUnreadable = false): Walk => ({
    tail: { ...(tail ?? { ...beginning, blockNumber: segment - 1 }), segment, position },
    broken,
    isUnreadable,
  })
  try {
    while (position < end) {
      let at = await window.show(position, blockHeaderLength)
      let header = readBlockHeader(window.bytes, at)
      if (!header) return stop('no block header')
      at = await window.show(position, blockHeaderLength + header.directoryLength)
      header = readBlockHeader(window.bytes, at)!
      if (!isBlockHeaderSound(window.bytes, at)) return stop('a header or directory with a wrong checksum')
      if (readBlockVersion(window.bytes, at) > blockVersion) {
        throw new StorageFormatError(
          `block ${header.number} has format ${readBlockVersion(window.bytes, at)}, newer than ${blockVersion}: use a newer odradek`,
        )
      }
      const fault =
        followsNot(header, tail, options) ?? directoryFault(header, window.bytes, at + blockHeaderLength)
      if (fault) return stop(fault)
      const bodyPosition = position + blockHeaderLength + header.directoryLength
      if (bodyPosition + header.bodyLength > end) return stop('a block that is cut short')
      if (header.number >= options.checkedFrom) {
        at = await window.show(position, bodyPosition - position + header.bodyLength)
        const fault = bodyFault(header, window.bytes, at + blockHeaderLength)
        if (fault) return stop(fault)
      }
      const visited = options.visit({
        header,
        position,
        bytes: window.bytes,
        directoryAt: at + blockHeaderLength,
      })
      if (visited) await visited
      position = bodyPosition + header.bodyLength
      tail = {
        blockNumber: header.number,
        headerCrc: header.crc,
        segment,
        position,
        lsn: header.lastLsn,
        commitTime: header.commitTime,
        blockEpoch: header.epoch,
      }
    }
  } catch (error) {
    if (error instanceof UnreadableError) return stop(error.message, true)
    throw error
  }
  return stop(undefined)
}

/**
 * Whatever a later sound header says of how far the log was synced, behind a break at `position`. A header of a block before
 * the segment's `firstBlock` was left by an earlier use of the file, as is all that follows it. Rejects with EIO where the disk
 * does not give back what is there.
 */
export async function syncedBehind(
  file: DiskFile,
  position: number,
  end: number,
  above: number,
  firstBlock = 0,
): Promise<number> {
  const magic = Buffer.alloc(4)
  magic.writeUInt32BE(blockMagic)
  let known = 0
  const window = new Window(file, end)
  for (let start = position; start < end;) {
    const at = await window.show(start, Math.min(windowLength, end - start))
    const found = window.bytes.indexOf(magic, at)
    if (found < 0) {
      start += Math.max(window.bytes.length - at - 3, 1)
      continue
    }
    const candidate = start + found - at
    const headerAt = await window.show(candidate, blockHeaderLength)
    const header = readBlockHeader(window.bytes, headerAt)
    const isOther = header && (header.number > above || header.number < firstBlock)
    if (isOther && header.directoryLength < end - candidate) {
      const wholeAt = await window.show(candidate, blockHeaderLength + header.directoryLength)
      const isSound = isBlockHeaderSound(window.bytes, wholeAt)
      if (isSound && header.number < firstBlock) return known
      if (isSound) known = Math.max(known, header.knownSynced)
    }
    start = candidate + 4
  }
  return known
}

function followsNot(
  header: BlockHeader,
  tail: Tail | undefined,
  { segment, shard, isRewritten = false }: WalkOptions,
): string | undefined {
  if (header.shard !== shard) return `a block of shard ${header.shard}`
  if (header.isRewritten !== isRewritten) return 'a block of another kind of segment'
  if (!tail) {
    const isFirst = isRewritten
      ? header.number >= segment && header.previousCrc === 0
      : header.number === segment
    return isFirst ? undefined : `block ${header.number} where ${segment} should be`
  }
  const isNext = isRewritten ? header.number > tail.blockNumber : header.number === tail.blockNumber + 1
  if (!isNext) return `block ${header.number} after block ${tail.blockNumber}`
  if (header.previousCrc !== tail.headerCrc) return 'a block that does not follow the one before it'
  if (header.epoch < tail.blockEpoch) return `block epoch ${header.epoch} after ${tail.blockEpoch}`
  if (header.firstLsn <= tail.lsn) return `LSN ${header.firstLsn} after ${tail.lsn}`
  if (header.commitTime < tail.commitTime) return 'a commit time before the one of the block before'
  return undefined
}

function directoryFault(header: BlockHeader, bytes: Buffer, at: number): string | undefined {
  if (header.directoryLength !== header.entryCount * rowLength) return 'a directory of a wrong length'
  if (header.entryCount === 0) return 'a block without entries'
  const row = new RowView()
  let position = 0
  let lsn = header.firstLsn - 1
  for (let index = 0; index < header.entryCount; index++) {
    row.move(bytes, at + index * rowLength)
    if (row.position !== position || row.length < batchOverhead)
      return 'a row with a wrong position or length'
    if (row.lsn <= lsn) return 'rows out of the order of their LSNs'
    position += row.length
    lsn = row.lsn
  }
  if (position !== header.bodyLength || lsn !== header.lastLsn)
    return 'a directory that does not fit its header'
  return undefined
}

function bodyFault(header: BlockHeader, bytes: Buffer, directoryAt: number): string | undefined {
  const row = new RowView()
  const bodyAt = directoryAt + header.directoryLength
  for (let index = 0; index < header.entryCount; index++) {
    row.move(bytes, directoryAt + index * rowLength)
    const batchAt = bodyAt + row.position
    if (!agrees(bytes, row.at, bytes, batchAt)) return 'a batch that its row does not describe'
    if (!new Batch(bytes, batchAt).isSound) return 'a batch with a wrong checksum'
  }
  return undefined
}

/** The disk does not give back what is there (isUnreadable). */
class UnreadableError extends Error {
  override readonly name = 'UnreadableError'
  readonly code = 'EIO'
}

/** Shows a file piece by piece. */
class Window {
  readonly #file: DiskFile
  readonly #end: number
  #position = 0
  bytes: Buffer = Buffer.alloc(0)

  constructor(file: DiskFile, end: number) {
    this.#file = file
    this.#end = end
  }

  /** Returns where in `bytes` the file's `position` is; `length` bytes follow, fewer only at the end. */
  async show(position: number, length: number): Promise<number> {
    const at = position - this.#position
    const isShown = at >= 0 && at + Math.min(length, this.#end - position) <= this.bytes.length
    if (isShown) return at
    const bytes = Buffer.allocUnsafe(Math.min(Math.max(length, windowLength), this.#end - position))
    const read = await this.#file.read(position, bytes).catch((error: Error) => {
      throw isUnreadable(error) ? new UnreadableError(error.message) : error
    })
    this.bytes = bytes.subarray(0, read)
    this.#position = position
    return 0
  }
}
