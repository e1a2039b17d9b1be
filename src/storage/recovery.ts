import { sectorLength } from '../base/direct-file.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import type { Logger } from '../base/logger.ts'
import { crc32c } from '../protocol/records/crc32c.ts'
import { readAnchor, type Anchor } from './anchor.ts'
import { readCheckpoint, type CheckpointHead } from './checkpoint.ts'
import {
  endOfFooter,
  readTable,
  readTrailer,
  tableLineLength,
  tablePosition,
  trailerLength,
  type TableLine,
  type Trailer,
} from './footer.ts'
import { blockHeaderLength } from './block.ts'
import { emptyManifest, readManifest, type Manifest } from './manifest.ts'
import { PartitionState } from './partition-state.ts'
import { RowView, rowField, rowLength } from './row.ts'
import { Run } from './run.ts'
import { segmentFiles, type SegmentFile } from './segment-files.ts'
import { Segment, SegmentMemory } from './segment.ts'
import { ifReadable, isUnreadable } from './unreadable.ts'
import { beginning, syncedBehind, walk, type Tail, type WalkedBlock } from './walk.ts'

/** What a shard starts from. */
export interface Recovered {
  /** Oldest first. The last one has its rows in RAM, if blocks can be added to it. */
  readonly segments: Segment[]
  readonly states: Map<number, PartitionState>
  readonly tail: Tail
  readonly manifest: Manifest
  /** The blocks up to this number are in the checkpoint. */
  readonly checkpointed: number
  readonly anchorFile: DiskFile
  readonly anchorSlot: number
  /** Why the shard is fenced: something that was synced is not there as it was written. */
  readonly fault: string | undefined
}

export interface RecoveryOptions {
  readonly disk: Disk
  readonly logger: Logger
  readonly shard: number
  readonly folder: string
  readonly strideRecords: number
}

/**
 * Finds what a shard holds: the checkpoint's bookmarks, then every block behind it, as far as blocks are sound and follow one
 * another. What comes after is cut off, unless some of it is known to have been synced: that is corruption, nothing
 * is touched, and the shard takes no more writes. Rejects with the disk's errors, and leaves no file open then.
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const recovery = new Recovery(options)
  try {
    return await recovery.run()
  } catch (error) {
    await recovery.abandon()
    throw error
  }
}

class Recovery {
  readonly #options: RecoveryOptions
  readonly #states = new Map<number, PartitionState>()
  readonly #segments: Segment[] = []
  #checkpoint: CheckpointHead | undefined
  /** Segments of this generation and later ones were in nobody's place when the checkpoint was drawn. */
  #generationSwapped = 0
  #anchor: Anchor | undefined
  /** The greatest block number that is known to have been synced. */
  #known = 0
  #tail: Tail = beginning
  #manifest = emptyManifest
  /** Blocks that may only be in the page cache. */
  readonly #unproven: { number: number; position: number }[] = []
  #fault: string | undefined
  #anchorFile: DiskFile | undefined

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  async run(): Promise<Recovered> {
    const { disk, folder, logger, shard } = this.#options
    const anchorFile = (this.#anchorFile = await disk.open(`${folder}/anchor`))
    const anchorBytes = Buffer.alloc(anchorFile.size)
    await anchorFile.read(0, anchorBytes)
    const { anchor, nextSlot } = readAnchor(anchorBytes)
    this.#anchor = anchor
    this.#noteSynced(anchor?.blockNumber ?? 0)

    const checkpoint = readCheckpoint(await disk.read(`${folder}/checkpoint`))
    this.#checkpoint = checkpoint?.head
    this.#generationSwapped = checkpoint?.generationSwapped ?? 0
    this.#noteSynced(checkpoint?.head.blockNumber ?? 0)
    for (const state of checkpoint?.states ?? []) this.#states.set(state.partition, state)

    const manifestBytes = await disk.read(`${folder}/manifest`)
    const manifest = manifestBytes ? readManifest(manifestBytes) : emptyManifest
    if (manifest) await this.#recoverSegments((this.#manifest = manifest))
    else this.#fault = 'the manifest is damaged, and nothing else says which files count'
    if (this.#fault === undefined) await this.#settleTail()
    else logger.error({ shard, fault: this.#fault }, 'synced blocks are damaged; nothing was cut off')
    const isRewrittenSince = this.#manifest.generationNext > this.#generationSwapped
    for (const { partition, cleanedOffset, compactedOffset } of this.#manifest.compacted) {
      const state = this.#states.get(partition)
      if (!state) continue
      Object.assign(state, { cleanedOffset, compactedOffset })
      // Where something is damaged, what is missing need not have been taken.
      if (this.#fault === undefined) state.forgetCompacted(isRewrittenSince)
    }
    for (const state of this.#states.values()) {
      if (this.#fault !== undefined) state.nextOffset = state.runs.at(-1)?.nextOffset ?? state.logStart
      state.settle()
    }
    return {
      segments: this.#segments,
      states: this.#states,
      tail: this.#tail,
      manifest: this.#manifest,
      checkpointed: this.#checkpoint?.blockNumber ?? 0,
      anchorFile,
      anchorSlot: nextSlot,
      fault: this.#fault,
    }
  }

  /** Closes what was opened, after a failure that is told. */
  async abandon(): Promise<void> {
    const files = [this.#anchorFile, ...this.#segments]
    await Promise.allSettled(files.map(file => file?.close()))
  }

  #noteSynced(blockNumber: number): void {
    this.#known = Math.max(this.#known, blockNumber)
  }

  async #recoverSegments(manifest: Manifest): Promise<void> {
    const { disk, folder } = this.#options
    const { files, leftOver } = segmentFiles(await disk.list(folder), manifest)
    const missing = files.find(({ isMissing }) => isMissing)
    if (missing) {
      this.#fault = `the file with what is kept of blocks ${missing.firstBlock} to ${missing.tail!.blockNumber} is missing`
      return
    }
    for (const name of leftOver) await disk.remove(`${folder}/${name}`)
    // A segment begins only after all blocks before it are synced.
    this.#noteSynced((files.at(-1)?.firstBlock ?? 1) - 1)
    for (const { tail } of manifest.lines) this.#noteSynced(tail.blockNumber)
    for (const [index, file] of files.entries()) {
      await this.#recoverSegment(file, files[index + 1]?.firstBlock)
      if (this.#fault !== undefined) break
    }
    this.#settleHead(files)
  }

  async #recoverSegment(
    { firstBlock, generation, tail }: SegmentFile,
    nextFirstBlock: number | undefined,
  ): Promise<void> {
    const { disk, folder } = this.#options
    const segment = new Segment(disk, folder, firstBlock, generation)
    segment.tail = tail
    this.#segments.push(segment)
    await segment.open()
    const isGap = this.#segments.length > 1 && firstBlock !== this.#tail.blockNumber + 1
    if (isGap && this.#checkpoint && firstBlock - 1 > this.#checkpoint.blockNumber) {
      this.#fault = `${segment.logName}: the segment before it is missing`
      return
    }
    const trailer = await ifReadable(trailerOf(segment))
    const isCut = trailer !== undefined && endOfFooter(trailer) === segment.file.size
    const isTaken = isCut && (await ifReadable(this.#takeFooter(segment, trailer)))
    if (isTaken) return
    if (tail) await this.#walkRewritten(segment, tail)
    else await this.#walkSegment(segment, nextFirstBlock, trailer)
  }

  /** Takes a closed segment's runs from its footer; the checkpoint has all else. False where the footer is not sound. */
  async #takeFooter(segment: Segment, trailer: Trailer): Promise<boolean> {
    const { file } = segment
    if (trailer.lastBlock > (this.#checkpoint?.blockNumber ?? 0)) return false
    const index = await segment.readIndexFile()
    if (index.length !== trailer.indexLength || crc32c(index) !== trailer.indexCrc) return false
    const tableBytes = Buffer.alloc(trailer.partitionCount * tableLineLength)
    await file.read(tablePosition(trailer), tableBytes)
    const table = readTable(tableBytes, trailer)
    if (!table) return false
    for (const line of table) this.#addRun(segment, line)
    segment.batchBytes = table.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
    segment.size = trailer.rowsPosition
    segment.lastBlock = trailer.lastBlock
    segment.lastHeaderCrc = trailer.lastHeaderCrc
    segment.isFull = segment.isClosed = true
    this.#tail = segment.tail ?? {
      ...(this.#checkpoint!.blockNumber === trailer.lastBlock ? this.#checkpoint! : this.#tail),
      blockNumber: trailer.lastBlock,
      headerCrc: trailer.lastHeaderCrc,
      segment: segment.firstBlock,
      position: segment.size,
    }
    return true
  }

  #addRun(segment: Segment, line: TableLine): void {
    const state = this.#stateOf(line.partition)
    if (line.nextOffset <= state.logStart) return
    const run = new Run(segment, line.partition, line.baseOffset)
    run.nextOffset = line.nextOffset
    run.maxTimestamp = line.maxTimestamp
    run.sizeInBytes = line.sizeInBytes
    run.rowCount = line.rowCount
    run.firstRow = line.firstRow
    state.runs.push(run)
    segment.liveRuns++
  }

  #stateOf(partition: number): PartitionState {
    let state = this.#states.get(partition)
    if (!state) this.#states.set(partition, (state = new PartitionState(partition)))
    return state
  }

  async #walkSegment(
    segment: Segment,
    nextFirstBlock: number | undefined,
    trailer: Trailer | undefined,
  ): Promise<void> {
    const { shard } = this.#options
    const { file } = segment
    segment.memory = new SegmentMemory()
    const { tail, broken, isUnreadable } = await walk(file, {
      shard,
      segment: segment.firstBlock,
      end: file.size,
      after: this.#before(segment),
      checkedFrom: (this.#anchor?.blockNumber ?? 0) + 1,
      visit: block => this.#visit(segment, block),
    })
    this.#tail = tail
    segment.size = tail.position
    segment.lastBlock = tail.blockNumber
    segment.lastHeaderCrc = tail.headerCrc
    if (isUnreadable) {
      this.#fault ??= `${segment.logName} cannot be read at ${tail.position}, behind block ${tail.blockNumber}: ${broken}`
      return
    }
    if (broken !== undefined && tail.blockNumber >= this.#known && nextFirstBlock === undefined) {
      await this.#lookBehind(segment, tail, broken)
      if (this.#fault !== undefined) return
    }
    // The segments that came next may be gone, since nothing in them was alive; then the trailer says where this one ended.
    const isEnded = tail.blockNumber === trailer?.lastBlock
    const isWhole =
      isEnded ||
      (nextFirstBlock === undefined
        ? tail.blockNumber >= this.#known
        : tail.blockNumber === nextFirstBlock - 1)
    if (!isWhole) {
      this.#fault ??= `${segment.logName}: ${broken ?? 'the end'} at ${tail.position}, behind block ${tail.blockNumber}, and more was synced`
    }
    if (this.#fault !== undefined) return
    if (await segment.repairIndex()) {
      this.#options.logger.info({ shard, segment: segment.logName }, 'the sparse index was made again')
    }
    if (nextFirstBlock !== undefined || isEnded) {
      segment.isFull = true
      await segment.finish({ isMadeAgain: isEnded })
      segment.forget()
    }
  }

  /** Notes what is said behind a break of how far the log was synced. What cannot be read there may be sound and synced. */
  async #lookBehind({ file, firstBlock, logName }: Segment, tail: Tail, broken: string): Promise<void> {
    const { position, blockNumber } = tail
    try {
      this.#noteSynced(await syncedBehind(file, position, file.size, blockNumber, firstBlock))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#fault ??= `${logName}: ${broken} at ${position}, and what is behind it cannot be read: ${(error as Error).message}`
    }
  }

  async #walkRewritten(segment: Segment, expected: Tail): Promise<void> {
    const { shard, strideRecords, logger } = this.#options
    segment.memory = new SegmentMemory()
    const { tail, broken } = await walk(segment.file, {
      shard,
      segment: segment.firstBlock,
      end: Math.min(expected.position, segment.file.size),
      after: undefined,
      isRewritten: true,
      checkedFrom: Infinity,
      visit: block => this.#absorb(segment, block, strideRecords),
    })
    segment.size = tail.position
    segment.lastBlock = expected.blockNumber
    segment.lastHeaderCrc = expected.headerCrc
    this.#tail = expected
    if (tail.position !== expected.position) {
      this.#fault = `${segment.logName}: ${broken ?? 'the end'} at ${tail.position}, and ${expected.position} bytes were synced`
      return
    }
    await segment.repairIndex()
    segment.isFull = true
    await segment.finish()
    segment.forget()
    logger.info({ shard, segment: segment.logName }, 'the footer was made again')
  }

  /** What a segment's first block must follow; undefined where what came before is gone, and no checkpoint knows it. */
  #before({ firstBlock }: Segment): Tail | undefined {
    const gone = this.#manifest.lines.map(({ tail }) => tail)
    const known = [this.#tail, this.#checkpoint, ...gone, beginning]
    return known.find(tail => tail?.blockNumber === firstBlock - 1)
  }

  #visit(segment: Segment, block: WalkedBlock): void {
    const { header, position } = block
    this.#noteSynced(header.knownSynced)
    if (this.#anchor?.blockNumber === header.number && this.#anchor.headerCrc !== header.crc) {
      this.#fault = `${segment.logName}: block ${header.number} is not the one that the anchor names`
    }
    while (this.#unproven.length > 0 && this.#unproven[0]!.number <= this.#known) this.#unproven.shift()
    if (header.number > this.#known) this.#unproven.push({ number: header.number, position })
    this.#absorb(segment, block, this.#options.strideRecords)
  }

  #absorb(segment: Segment, block: WalkedBlock, strideRecords: number): void {
    const isNew = block.header.number > (this.#checkpoint?.blockNumber ?? 0)
    absorb(block, segment, strideRecords, (row, place) => {
      const state = this.#stateOf(row.partition)
      if (isNew) state.extend(row, block.header.commitTime)
      place(state)
    })
  }

  /** Judges whether everything is there that should be. */
  #settleHead(files: readonly SegmentFile[]): void {
    const checkpoint = this.#checkpoint
    for (const { generation, tail } of this.#manifest.lines) {
      if (generation === 0 && tail.blockNumber > this.#tail.blockNumber) this.#tail = tail
    }
    if (
      checkpoint &&
      checkpoint.blockNumber > this.#tail.blockNumber &&
      !files.some(({ firstBlock }) => firstBlock === checkpoint.segment)
    ) {
      // Its segment was removed, since nothing in it was alive.
      this.#tail = checkpoint
    }
    if (this.#tail.blockNumber < this.#known) {
      this.#fault ??= `blocks ${this.#tail.blockNumber + 1} to ${this.#known} were synced and are not there`
    }
  }

  /** What may only be in the page cache is written again and synced; what follows it is cut off. */
  async #settleTail(): Promise<void> {
    const segment = this.#segments.at(-1)
    if (!segment || segment.isClosed) return
    const { file } = segment
    const unproven = this.#unproven.find(({ number }) => number > this.#known)
    if (unproven) await rewrite(segment, unproven.position)
    if (file.size > segment.size) {
      const { shard, logger } = this.#options
      const facts = {
        shard,
        segment: segment.logName,
        position: segment.size,
        length: file.size - segment.size,
      }
      if (!(await isPadding(file, segment.size)))
        logger.warn(facts, 'bytes behind the last sound block were cut off')
      await file.truncate(segment.size)
      await file.sync()
    }
  }
}

/**
 * The trailer of a segment: at the end of its file, or before the zeros that a write around the page cache has left there. Undefined
 * where there is no sound one.
 */
export async function trailerOf({ file, firstBlock }: Segment): Promise<Trailer | undefined> {
  const bytes = Buffer.alloc(Math.min(file.size, trailerLength + sectorLength))
  const start = file.size - bytes.length
  await file.read(start, bytes)
  const lastByte = bytes.findLastIndex(byte => byte !== 0)
  // A trailer ends in zeros of its own.
  for (let end = bytes.length; end > lastByte && end >= trailerLength; end--) {
    const trailer = readTrailer(bytes.subarray(end - trailerLength, end), start + end)
    if (trailer?.firstBlock === firstBlock) return trailer
  }
  return undefined
}

/** Takes a walked block's rows into the memory of its segment; `visit` says whose each row is, and has it placed there. */
export function absorb(
  { header, position, bytes, directoryAt }: WalkedBlock,
  segment: Segment,
  strideRecords: number,
  visit: (row: RowView, place: (state: PartitionState) => void) => void,
): void {
  const memory = segment.memory!
  const bodyPosition = position + blockHeaderLength + header.directoryLength
  const row = new RowView()
  let ordinal = 0
  const place = (state: PartitionState): void => state.place(segment, ordinal, row, position, strideRecords)
  for (let index = 0; index < header.entryCount; index++) {
    ordinal = memory.add()
    memory.row(ordinal, row)
    bytes.copy(row.bytes, row.at, directoryAt + index * rowLength, directoryAt + (index + 1) * rowLength)
    row.bytes.writeUInt32BE(bodyPosition + row.position, row.at + rowField.position)
    visit(row, place)
  }
}

/** Whether only zeros that a write was followed by (OpenOptions.isAppended) lie behind the blocks. */
async function isPadding(file: DiskFile, from: number): Promise<boolean> {
  const length = file.size - from
  if (length >= sectorLength) return false
  const bytes = Buffer.alloc(length)
  await file.read(from, bytes)
  return bytes.every(byte => byte === 0)
}

const rewriteLength = 1024 * 1024

// A sync that failed before the restart leaves pages that look clean; only writing them again makes a sync reach the disk.
async function rewrite({ file, size }: Segment, from: number): Promise<void> {
  for (let position = from; position < size;) {
    // Ends where a sector does, since a write that ends within one takes what is behind it (OpenOptions.isAppended).
    const length = rewriteLength - (position % rewriteLength)
    const bytes = Buffer.allocUnsafe(Math.min(length, size - position))
    await file.read(position, bytes)
    await file.writev(position, [bytes])
    position += bytes.length
  }
  await file.sync()
}
