import type { Disk } from '../../base/disk.ts'
import { AnchorFile } from '../anchor.ts'
import { blockHeaderLength, writeBlockHeader } from '../block.ts'
import { writeBookmarks, writeCheckpoint } from '../checkpoint.ts'
import { StorageRestoreError } from '../errors.ts'
import { emptyManifest, writeManifest, type CompactedPartition } from '../manifest.ts'
import { PartitionState } from '../partition-state.ts'
import { absorb } from '../recovery.ts'
import { rowLength } from '../row.ts'
import { Segment, SegmentMemory } from '../segment.ts'
import { anchorName, checkpointName } from '../shard.ts'
import { beginning, type Tail, type WalkedBlock } from '../walk.ts'
import { rowsOf } from './entries.ts'
import { manifestName, type SegmentAtRest, type ShardAtRest } from './shard-at-rest.ts'

export interface ShardRestoration {
  readonly source: ShardAtRest
  readonly target: Disk
  /** The last LSN that is kept. */
  readonly lsn: number
  /** What was there before this LSN cannot be told, and is not to be told of the restored shard either. */
  readonly horizonLsn: number
  readonly strideRecords: number
  /** Where a partition started then; undefined for those that were not there. */
  logStartOf(partition: number): number | undefined
}

/** What was written of a shard. */
export interface Restored {
  readonly blockCount: number
  readonly entryCount: number
  readonly sizeInBytes: number
}

/**
 * Writes a shard as it was: entries byte for byte and with their LSNs, in blocks with their epochs and times, but numbered and
 * chained anew, so that nothing is missing between them. Indexes, footers, checkpoint and anchor are what a broker would have
 * written. Transactions that were open then are open: their coordinator's log is cut at the same LSN, so that it finishes at the next start
 * what was prepared, and aborts the rest when its time is up. Resolves when all is synced. Rejects with StorageRestoreError where a block is not sound, and with the disk's errors.
 */
export function restoreShard(options: ShardRestoration): Promise<Restored> {
  return new Restoration(options).run()
}

class Restoration {
  readonly #options: ShardRestoration
  readonly #states = new Map<number, PartitionState>()
  /** Where each partition went on behind the cut. */
  readonly #later = new Map<number, number>()
  #segment: Segment | undefined
  #tail: Tail = beginning
  /** The cut has been reached. */
  #isPast = false
  #entryCount = 0
  #sizeInBytes = 0

  constructor(options: ShardRestoration) {
    this.#options = options
  }

  async run(): Promise<Restored> {
    const { source, target, lsn, horizonLsn, logStartOf } = this.#options
    for await (const part of source.segments()) await this.#copy(part)
    this.#takeOver()
    const anchorFile = await target.open(anchorName(source.id))
    let failure: unknown
    const anchor = new AnchorFile(anchorFile, 0, error => (failure = error))
    if (this.#states.size > 0) {
      const { generationNext } = emptyManifest
      const bookmarks = writeBookmarks(this.#states.values(), generationNext)
      const compacted = source.manifest.compacted
        .filter(({ partition }) => logStartOf(partition) !== undefined)
        .map(each => this.#compactedUntilCut(each))
      const manifest = { ...emptyManifest, horizonLsn: Math.min(horizonLsn, lsn), compacted }
      if (horizonLsn > 0) await target.replace(manifestName(source.id), writeManifest(manifest))
      await target.replace(checkpointName(source.id), writeCheckpoint(this.#tail, bookmarks))
      if (this.#tail !== beginning) anchor.write(this.#tail)
    }
    await anchor.close()
    if (failure !== undefined) throw failure
    return {
      blockCount: this.#tail.blockNumber,
      entryCount: this.#entryCount,
      sizeInBytes: this.#sizeInBytes,
    }
  }

  /** The log may end before what was cleaned of its source. */
  #compactedUntilCut(compacted: CompactedPartition): CompactedPartition {
    const { partition, cleanedOffset, compactedOffset } = compacted
    const end = this.#states.get(partition)?.nextOffset ?? 0
    return {
      partition,
      cleanedOffset: Math.min(cleanedOffset, end),
      compactedOffset: Math.min(compactedOffset, end),
    }
  }

  async #copy(part: SegmentAtRest): Promise<void> {
    const { lsn } = this.#options
    // What lies behind the cut need not be sound.
    const checkedFrom = this.#isPast ? Infinity : 0
    await part.walk(async block => {
      const { firstLsn, lastLsn } = block.header
      if (firstLsn <= lsn) await this.#write(cut(block, lsn))
      if (lastLsn > lsn) this.#noteLater(block)
      this.#isPast ||= lastLsn >= lsn
    }, checkedFrom)
    const damage = this.#isPast ? undefined : await part.damage()
    if (damage !== undefined) throw new StorageRestoreError(damage)
    await this.#finish()
  }

  #noteLater(block: WalkedBlock): void {
    for (const { partition, lsn, baseOffset } of rowsOf(block)) {
      if (lsn > this.#options.lsn && !this.#later.has(partition)) this.#later.set(partition, baseOffset)
    }
  }

  async #write({ header, bytes, directoryAt }: WalkedBlock): Promise<void> {
    const segment = (this.#segment ??= await this.#begin())
    const length = blockHeaderLength + header.directoryLength + header.bodyLength
    const whole = Buffer.from(
      bytes.subarray(directoryAt - blockHeaderLength, directoryAt + length - blockHeaderLength),
    )
    const number = this.#tail.blockNumber + 1
    const chained = {
      ...header,
      isRewritten: false,
      number,
      previousCrc: this.#tail.headerCrc,
      knownSynced: number - 1,
    }
    const crc = writeBlockHeader(whole, chained)
    const block = {
      header: { ...chained, crc },
      position: segment.size,
      bytes: whole,
      directoryAt: blockHeaderLength,
    }
    await segment.file.writev(segment.size, [whole])
    absorb(block, segment, this.#options.strideRecords, (row, place) => {
      const state = this.#stateOf(row.partition)
      state.extend(row)
      place(state)
    })
    segment.size += length
    segment.lastBlock = number
    segment.lastHeaderCrc = crc
    this.#tail = {
      blockNumber: number,
      headerCrc: crc,
      segment: segment.firstBlock,
      position: segment.size,
      lsn: header.lastLsn,
      commitTime: header.commitTime,
      blockEpoch: header.epoch,
    }
    this.#entryCount += header.entryCount
    this.#sizeInBytes += length
  }

  #stateOf(partition: number): PartitionState {
    let state = this.#states.get(partition)
    if (!state) this.#states.set(partition, (state = new PartitionState(partition)))
    return state
  }

  async #begin(): Promise<Segment> {
    const { target, source } = this.#options
    const segment = new Segment(target, source.folder, this.#tail.blockNumber + 1)
    segment.memory = new SegmentMemory()
    await segment.open()
    return segment
  }

  /** Closes the segment for good, the last one too: blocks that come later go to a new one. */
  async #finish(): Promise<void> {
    const segment = this.#segment
    if (!segment) return
    await segment.writeIndex(segment.takeIndexPieces())
    await segment.finish()
    segment.forget()
    for (const state of this.#states.values()) state.dropAllRuns()
    await segment.close()
    this.#segment = undefined
  }

  /** What is known of partitions and no entry tells, since those are gone that were dead: starts, ends and producers. */
  #takeOver(): void {
    const { source, lsn, logStartOf } = this.#options
    const { checkpoint, manifest } = source
    const isBehindHorizon = manifest.lines.length > 0 && lsn >= manifest.horizonLsn
    // Of use only where nothing behind the cut is gone.
    const isOfUse = checkpoint && (lsn >= checkpoint.head.lsn || isBehindHorizon)
    for (const { partition, nextOffset, producers } of isOfUse ? checkpoint.states : []) {
      if (logStartOf(partition) === undefined) continue
      const end = this.#later.get(partition) ?? nextOffset
      const state = this.#stateOf(partition)
      state.nextOffset = Math.max(state.nextOffset, end)
      for (const producer of producers) {
        const isKnown = state.producers.get(producer.producerId) !== undefined
        const wroteLater = producer.batches.some(({ lastOffset }) => lastOffset >= end)
        if (!isKnown && !wroteLater) state.producers.restore(producer)
      }
    }
    for (const state of this.#states.values()) {
      const logStart = logStartOf(state.partition) ?? state.logStart
      state.logStart = Math.min(logStart, state.nextOffset)
    }
  }
}

/** The block with its entries up to an LSN, of which there is at least one. */
function cut(block: WalkedBlock, lsn: number): WalkedBlock {
  const { header, bytes, directoryAt } = block
  if (header.lastLsn <= lsn) return block
  let entryCount = 0
  let bodyLength = 0
  let lastLsn = 0
  for (const row of rowsOf(block)) {
    if (row.lsn > lsn) break
    entryCount++
    bodyLength += row.length
    lastLsn = row.lsn
  }
  const directoryLength = entryCount * rowLength
  const bodyAt = directoryAt + header.directoryLength
  return {
    header: { ...header, lastLsn, entryCount, directoryLength, bodyLength },
    position: block.position,
    bytes: Buffer.concat([
      Buffer.alloc(blockHeaderLength),
      bytes.subarray(directoryAt, directoryAt + directoryLength),
      bytes.subarray(bodyAt, bodyAt + bodyLength),
    ]),
    directoryAt: blockHeaderLength,
  }
}
