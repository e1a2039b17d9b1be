import type { Disk } from '../../base/disk.ts'
import { AnchorFile } from '../anchor.ts'
import { blockHeaderLength, writeBlockHeader } from '../block.ts'
import { writeBookmarks, writeCheckpoint } from '../checkpoint.ts'
import { StorageRestoreError } from '../errors.ts'
import { PartitionState } from '../partition-state.ts'
import { absorb } from '../recovery.ts'
import { rowLength } from '../row.ts'
import { Segment, SegmentMemory } from '../segment.ts'
import { anchorName, checkpointName } from '../shard.ts'
import type { Tail, WalkedBlock } from '../walk.ts'
import { rowsOf } from './entries.ts'
import type { ShardAtRest } from './shard-at-rest.ts'

export interface ShardRestoration {
  readonly source: ShardAtRest
  readonly target: Disk
  /** The last LSN that is kept. */
  readonly lsn: number
  readonly strideRecords: number
}

/** What was written of a shard. */
export interface Restored {
  readonly blockCount: number
  readonly entryCount: number
  readonly sizeInBytes: number
}

/**
 * Writes a shard as it was: every block up to the cut as it is, the block that the cut goes through with a header of its own, and
 * indexes, footers, checkpoint and anchor as a broker would have. Resolves when all is synced. Rejects with
 * StorageRestoreError where a block is not sound, and with the disk's errors.
 */
export function restoreShard(options: ShardRestoration): Promise<Restored> {
  return new Restoration(options).run()
}

class Restoration {
  readonly #options: ShardRestoration
  readonly #states = new Map<number, PartitionState>()
  #segment: Segment | undefined
  #tail: Tail | undefined
  #blockCount = 0
  #entryCount = 0
  #sizeInBytes = 0

  constructor(options: ShardRestoration) {
    this.#options = options
  }

  async run(): Promise<Restored> {
    const { source, lsn } = this.#options
    for await (const part of source.segments()) {
      let isBeyond = false
      const { tail } = await part.walk(async block => {
        isBeyond ||= block.header.firstLsn > lsn
        if (!isBeyond) await this.#write(part.segment.firstBlock, upTo(lsn, block))
      })
      if (isBeyond || tail.lsn >= lsn) break
      const damage = await part.damage()
      if (damage !== undefined) throw new StorageRestoreError(damage)
    }
    await this.#finish()
    const { target } = this.#options
    const anchorFile = await target.open(anchorName(source.id))
    let failure: unknown
    const anchor = new AnchorFile(anchorFile, 0, error => (failure = error))
    if (this.#tail) {
      const bookmarks = writeBookmarks(this.#states.values())
      await target.replace(checkpointName(source.id), writeCheckpoint(this.#tail, bookmarks))
      anchor.write(this.#tail)
    }
    await anchor.close()
    if (failure !== undefined) throw failure
    return { blockCount: this.#blockCount, entryCount: this.#entryCount, sizeInBytes: this.#sizeInBytes }
  }

  async #write(firstBlock: number, block: WalkedBlock): Promise<void> {
    const { header, position, bytes, directoryAt } = block
    const segment = await this.#segmentOf(firstBlock)
    const at = directoryAt - blockHeaderLength
    const length = blockHeaderLength + header.directoryLength + header.bodyLength
    await segment.file.writev(position, [bytes.subarray(at, at + length)])
    absorb(block, segment, this.#options.strideRecords, (row, place) => {
      let state = this.#states.get(row.partition)
      if (!state) this.#states.set(row.partition, (state = new PartitionState(row.partition)))
      state.extend(row)
      place(state)
    })
    segment.size = position + length
    segment.lastBlock = header.number
    segment.lastHeaderCrc = header.crc
    this.#tail = {
      blockNumber: header.number,
      headerCrc: header.crc,
      segment: firstBlock,
      position: segment.size,
      lsn: header.lastLsn,
      commitTime: header.commitTime,
      blockEpoch: header.epoch,
    }
    this.#blockCount++
    this.#entryCount += header.entryCount
    this.#sizeInBytes += length
  }

  async #segmentOf(firstBlock: number): Promise<Segment> {
    if (this.#segment?.firstBlock === firstBlock) return this.#segment
    await this.#finish()
    const segment = new Segment(this.#options.target, this.#options.source.folder, firstBlock)
    segment.memory = new SegmentMemory()
    await segment.open()
    return (this.#segment = segment)
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
}

/** The block with its entries up to an LSN, of which there is at least one. */
function upTo(lsn: number, block: WalkedBlock): WalkedBlock {
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
  const cut = Buffer.concat([
    Buffer.alloc(blockHeaderLength),
    bytes.subarray(directoryAt, directoryAt + directoryLength),
    bytes.subarray(bodyAt, bodyAt + bodyLength),
  ])
  const cutHeader = { ...header, lastLsn, entryCount, bodyLength }
  const crc = writeBlockHeader(cut, cutHeader)
  return {
    header: { ...cutHeader, crc, directoryLength },
    position: block.position,
    bytes: cut,
    directoryAt: blockHeaderLength,
  }
}
