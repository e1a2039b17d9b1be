import { Batch } from '../../protocol/records/batch.ts'
import { crc32c } from '../../protocol/records/crc32c.ts'
import { isSlotDamaged } from '../anchor.ts'
import { differences } from '../audit.ts'
import { blockHeaderLength } from '../block.ts'
import { writeFooter } from '../footer.ts'
import { everyRow, indexFault } from '../index-check.ts'
import { PartitionState } from '../partition-state.ts'
import { absorb } from '../recovery.ts'
import type { RowView } from '../row.ts'
import { ifReadable } from '../unreadable.ts'
import { beginning, type Tail, type WalkedBlock } from '../walk.ts'
import { HoleFinder } from './holes.ts'
import type { SegmentAtRest, ShardAtRest } from './shard-at-rest.ts'

/** Something about a data directory that is worth a sentence. */
export interface Finding {
  /** Not sound; otherwise it is only what a crash leaves and the next start puts right. */
  readonly isUnsound: boolean
  readonly text: string
}

export interface VerificationOptions {
  readonly shard: ShardAtRest
  /** What messages call a partition. */
  nameOf(partition: number): string
  /** Told of each sound batch, in order. */
  inspect(batch: Batch, row: RowView): void
  /** Told how many more bytes have been seen. */
  advance(length: number): void
}

/** What a verification has found in a shard. */
export interface Verified {
  readonly findings: readonly Finding[]
  readonly segmentCount: number
  readonly blockCount: number
  readonly entryCount: number
  readonly blockEpoch: number
  readonly lsn: number
  readonly holes: HoleFinder
  /** What the checkpoint says wrongly, or not at all, of partitions that have been there. */
  readonly bookmarkFaults: readonly BookmarkFault[]
}

/** Something about a bookmark that is wrong unless the partition was deleted, or what it speaks of was. */
export interface BookmarkFault {
  readonly partition: number
  readonly text: string
  /** Where the bookmark says that the log starts. */
  readonly logStart: number
  /** All blocks are there that the checkpoint is about, so that it is wrong in any case. */
  readonly isCertain: boolean
}

/** Walks all of a shard and holds everything that is written about its batches against them (invariants 2, 3 and 8). */
export function verifyShard(options: VerificationOptions): Promise<Verified> {
  return new Verification(options).run()
}

class Verification {
  readonly #options: VerificationOptions
  readonly #shard: ShardAtRest
  readonly #states = new Map<number, PartitionState>()
  readonly #holes = new HoleFinder()
  readonly #findings: Finding[] = []
  /** Unsound only after a close in good order. */
  readonly #leftovers: string[] = []
  readonly #bookmarkFaults: BookmarkFault[] = []
  /** Entries have been removed, as dead ones are. */
  #isThinned = false
  #tail: Tail = beginning
  #isCheckpointMet = false
  #segmentCount = 0
  #blockCount = 0
  #entryCount = 0

  constructor(options: VerificationOptions) {
    this.#options = options
    this.#shard = options.shard
  }

  async run(): Promise<Verified> {
    const { anchor, checkpoint, folder, leftOver } = this.#shard
    for (const fault of this.#shard.listFaults) this.#report(fault)
    if (this.#shard.isCheckpointDamaged)
      this.#report(`${folder}/checkpoint is not sound; the next start reads the whole log instead`)
    let isDamaged = false
    for await (const part of this.#shard.segments())
      isDamaged = (await this.#verifySegment(part)) || isDamaged
    const walked = this.#tail
    this.#tail = this.#shard.endAfter(walked)
    this.#isThinned ||= this.#tail !== walked
    if (!this.#shard.isEmptied(walked.blockNumber + 1, this.#tail.blockNumber))
      this.#holes.addGap(walked.lsn, this.#tail.lsn + 1)
    if (!this.#isCheckpointMet) this.#meetCheckpoint()
    const missing = isDamaged ? undefined : this.#shard.missingBehind(this.#tail)
    if (missing !== undefined) this.#report(missing)
    const isClosed = this.#tail.blockNumber === (checkpoint?.head.blockNumber ?? 0)
    this.#verifyAnchorSlots()
    for (const text of this.#leftovers) this.#findings.push({ isUnsound: isClosed, text })
    for (const name of leftOver) this.#note(`${folder}/${name} counts for nothing; the next start removes it`)
    return {
      findings: this.#findings,
      segmentCount: this.#segmentCount,
      blockCount: this.#blockCount,
      entryCount: this.#entryCount,
      blockEpoch: Math.max(this.#tail.blockEpoch, anchor?.blockEpoch ?? 0),
      lsn: this.#tail.lsn,
      holes: this.#holes,
      bookmarkFaults: this.#bookmarkFaults,
    }
  }

  #report(text: string): void {
    this.#findings.push({ isUnsound: true, text })
  }

  #note(text: string): void {
    this.#findings.push({ isUnsound: false, text })
  }

  /** True where the segment is damaged. */
  async #verifySegment(part: SegmentAtRest): Promise<boolean> {
    const { segment } = part
    this.#segmentCount++
    const shadow = segment.twin()
    let seen = 0
    let isFirst = true
    this.#isThinned ||= segment.tail !== undefined || part.before.blockNumber !== segment.firstBlock - 1
    const { tail, broken } = await part.walk(block => {
      if (isFirst && part.isBehindGap) this.#holes.addGap(part.before.lsn, block.header.firstLsn)
      isFirst = false
      this.#verifyBlock(part, block, shadow)
      this.#options.advance(block.position - seen)
      seen = block.position
    })
    this.#options.advance(segment.file.size - seen)
    this.#tail = part.end
    shadow.size = segment.size = tail.position
    shadow.lastBlock = part.end.blockNumber
    shadow.lastHeaderCrc = part.end.headerCrc
    const damage = await part.damage()
    if (damage !== undefined) this.#report(damage)
    else await this.#verifyIndexes(part, shadow, broken)
    for (const state of this.#states.values()) state.dropAllRuns()
    return damage !== undefined
  }

  #verifyBlock({ segment }: SegmentAtRest, block: WalkedBlock, shadow: typeof segment): void {
    const { header, position, bytes, directoryAt } = block
    const { anchor, checkpoint, folder } = this.#shard
    if (!this.#isCheckpointMet && checkpoint && header.number > checkpoint.head.blockNumber)
      this.#meetCheckpoint()
    const end = position + blockHeaderLength + header.directoryLength + header.bodyLength
    const isFirstWriting = !header.isRewritten
    if (isFirstWriting && header.number === anchor?.blockNumber) {
      const isSame = header.crc === anchor.headerCrc && header.lastLsn === anchor.lsn
      const isThere = segment.firstBlock === anchor.segment && end === anchor.position
      if (!isSame || !isThere || header.epoch !== anchor.blockEpoch)
        this.#report(`${folder}/anchor names a block ${header.number} that is not the one in the log`)
    }
    if (isFirstWriting && header.number === checkpoint?.head.blockNumber) {
      const { headerCrc, lsn, commitTime, position } = checkpoint.head
      const isSame = header.crc === headerCrc && header.lastLsn === lsn && header.commitTime === commitTime
      if (!isSame || end !== position)
        this.#report(`${folder}/checkpoint names a block ${header.number} that is not the one in the log`)
    }
    this.#blockCount++
    this.#entryCount += header.entryCount
    absorb(block, shadow, everyRow, (row, place) => {
      let state = this.#states.get(row.partition)
      if (!state) this.#states.set(row.partition, (state = new PartitionState(row.partition)))
      if (row.baseOffset < state.nextOffset) {
        const name = this.#options.nameOf(row.partition)
        this.#report(
          `${segment.logName}, block ${header.number}: ${name} has offset ${row.baseOffset} after ${state.nextOffset - 1}`,
        )
        return
      }
      this.#holes.addEntry(row)
      state.extend(row)
      place(state)
      this.#options.inspect(new Batch(bytes, row.position - position + directoryAt - blockHeaderLength), row)
    })
  }

  /** Compares the bookmarks with what was found up to the checkpoint's block. */
  #meetCheckpoint(): void {
    this.#isCheckpointMet = true
    const { checkpoint, folder } = this.#shard
    if (!checkpoint) return
    const absent = new Map(this.#states)
    const tell = (partition: number, logStart: number, what: string): void => {
      const text = `${folder}/checkpoint: ${this.#options.nameOf(partition)}: ${what}`
      this.#bookmarkFaults.push({ partition, text, logStart, isCertain: !this.#isThinned })
    }
    const compacted = new Map(
      this.#shard.manifest.compacted.map(each => [each.partition, each.compactedOffset]),
    )
    for (const believed of checkpoint.states) {
      const { partition, logStart, nextOffset } = believed
      believed.compactedOffset = compacted.get(partition) ?? 0
      absent.delete(partition)
      const found = this.#states.get(partition)
      // What has been compacted since says nothing of how it was.
      if (nextOffset <= believed.compactedOffset) continue
      if (nextOffset > logStart && found?.nextOffset !== nextOffset) {
        const end = found?.nextOffset ?? 'no offset'
        tell(partition, logStart, `it ends at ${nextOffset}, the blocks end it at ${end}`)
      } else if (found) {
        for (const { what, believed: said, given } of differences(believed, found, nextOffset))
          tell(partition, logStart, `${what} is ${said}, the blocks give ${given}`)
      }
    }
    for (const { partition, nextOffset } of absent.values()) {
      const text = `${folder}/checkpoint says nothing of ${this.#options.nameOf(partition)}`
      // It may have been deleted before the checkpoint.
      this.#bookmarkFaults.push({ partition, text, logStart: nextOffset, isCertain: false })
    }
  }

  async #verifyIndexes(part: SegmentAtRest, shadow: typeof part.segment, broken?: string): Promise<void> {
    const { segment, trailer, nextFirstBlock } = part
    const memory = shadow.memory!
    const checkpointed = this.#shard.checkpoint?.head.blockNumber ?? 0
    const isFinished = nextFirstBlock !== undefined && shadow.lastBlock <= checkpointed
    const tell = (text: string): void => (isFinished ? this.#report(text) : void this.#leftovers.push(text))
    const index = await ifReadable(segment.readIndexFile())
    const found = await ifReadable(segment.readFooter())
    if (!index) this.#report(`${segment.indexName} cannot be read`)
    if (!found) this.#report(`the footer of ${segment.logName} cannot be read`)
    if (!index || !found) return
    const fault = indexFault(index, memory)
    if (fault !== undefined) {
      const text = `${segment.indexName} ${fault}; the next start makes it again`
      // It is synced with the footer and not before, and made again at every start until then.
      if (trailer || isFinished) this.#report(text)
      else this.#note(text)
    }
    if (
      fault === undefined &&
      trailer &&
      (trailer.indexLength !== index.length || trailer.indexCrc !== crc32c(index))
    )
      tell(`${segment.indexName} is not the one that the footer of ${segment.logName} names`)

    const { lastBlock, lastHeaderCrc } = shadow
    const { firstBlock, rowsPosition, indexLength, indexCrc } = trailer ?? {
      firstBlock: segment.firstBlock,
      rowsPosition: segment.size,
      indexLength: index.length,
      indexCrc: crc32c(index),
    }
    const facts = { rowsPosition, firstBlock, lastBlock, lastHeaderCrc, indexLength, indexCrc }
    const wanted = writeFooter(memory.rows, memory.runs, facts)
    const isExpected = trailer !== undefined || nextFirstBlock !== undefined || segment.tail !== undefined
    if (isExpected || isFooter(found, wanted)) {
      if (!isWhole(found, wanted)) tell(`the footer of ${segment.logName} is not what the blocks give`)
    } else if (broken !== undefined) {
      this.#note(
        `${segment.logName}: ${found.length} bytes behind the last block at ${segment.size} (${broken}); the next start cuts them off`,
      )
    }
  }

  #verifyAnchorSlots(): void {
    const { anchorBytes, folder } = this.#shard
    for (const slot of [0, 1]) {
      if (isSlotDamaged(anchorBytes, slot))
        this.#leftovers.push(`${folder}/anchor: slot ${slot} is not sound`)
    }
  }
}

/** Whether that is the footer. A write around the page cache leaves zeros behind it, which are cut off a moment later. */
function isWhole(found: Buffer, wanted: Buffer): boolean {
  const behind = found.subarray(wanted.length)
  return found.subarray(0, wanted.length).equals(wanted) && behind.every(byte => byte === 0)
}

/** Whether what lies behind the blocks is what was left of a footer, and not of another block. */
function isFooter(found: Buffer, wanted: Buffer): boolean {
  if (found.length === 0) return false
  return found.length === wanted.length || wanted.subarray(0, found.length).equals(found)
}
