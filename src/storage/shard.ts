import { assert } from '../base/assert.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Logger } from '../base/logger.ts'
import type { Region, Slabs } from '../base/slabs.ts'
import { KafkaError } from '../protocol/errors.ts'
import { AnchorFile } from './anchor.ts'
import type { Backlog } from './backlog.ts'
import { writeBlockHeader } from './block.ts'
import type { CompactedPartition } from './manifest.ts'
import { writeBookmarks, writeCheckpoint, type CheckpointHead } from './checkpoint.ts'
import type { Durability } from './durability.ts'
import { Block } from './open-block.ts'
import type { PartitionLog } from './partition-log.ts'
import type { PartitionState } from './partition-state.ts'
import type { Recovered } from './recovery.ts'
import type { Tail } from './walk.ts'
import { RowView, writeRow } from './row.ts'
import { ReadAhead } from './read-ahead.ts'
import { SegmentList, type Rewritten } from './segment-list.ts'
import { Segment, SegmentMemory } from './segment.ts'
import type { SpareFiles } from './spare-files.ts'
import { TailCache } from './tail-cache.ts'

/** The broker-wide counter that each entry takes a number from when it is accepted. */
export interface Lsns {
  next: number
}

/** What bounds a shard's files, blocks and memory; bytes unless said otherwise. */
export interface ShardLimits {
  /** A segment takes no more blocks once it has reached this size. */
  readonly segmentBytes: number
  /** The same in entries, which bounds what RAM keeps of a segment. */
  readonly segmentEntries: number
  /** A block takes no more entries once its body has reached this. */
  readonly blockBytes: number
  readonly strideRecords: number
  readonly tailBytesMax: number
  /** The tail gives way while the slabs hold more than this. */
  readonly memoryMax: number
}

export interface ShardOptions {
  readonly id: number
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly lsns: Lsns
  readonly backlog: Backlog
  /** What the batches that are appended may lie in. */
  readonly slabs: Slabs
  readonly spares: SpareFiles
  /** The broker's start count. */
  readonly blockEpoch: number
  readonly limits: ShardLimits
}

/**
 * One append-only sequence of blocks in segment files, shared by many partitions (seed 003). Entries are ordered and placed
 * the moment they are accepted; a block is committed by one write and one sync. It closes as soon as the one before it is
 * synced, so that whatever came meanwhile shares the next, unless all of its entries allow it to wait for more. One that is
 * full before that is written while the one before it is synced, so that the disk always has something to do.
 */
export class Shard {
  readonly id: number
  readonly limits: ShardLimits
  readonly logger: Logger
  readonly #disk: Disk
  readonly clock: Clock
  readonly #lsns: Lsns
  readonly #backlog: Backlog
  readonly #spares: SpareFiles
  readonly #blockEpoch: number
  readonly #anchor: AnchorFile
  readonly #tailCache: TailCache
  readonly readAhead: ReadAhead
  readonly #row = new RowView()
  /** Oldest first; the last is the one that blocks are added to. */
  readonly segments: readonly Segment[]
  readonly #list: SegmentList
  /** By partition, those that nobody has claimed yet. */
  readonly recovered: Map<number, PartitionState>
  readonly logs = new Map<number, PartitionLog>()
  #fault: KafkaError | undefined
  #open: Block | undefined
  readonly #closed: Block[] = []
  #newest: Promise<void> = Promise.resolve()
  #isCommitting = false
  #commits: Promise<void> = Promise.resolve()
  #isSyncing = false
  /** The write of the second closed block, while the first is synced. */
  #ahead: Promise<void> | undefined
  /** What is being appended is one produce. */
  #isGathering = false
  #nextBlock: number
  #synced: Tail
  /** The last block that was written, synced or not. */
  #written: Tail
  /** The blocks up to this number are in a checkpoint on disk. */
  #checkpointed: number
  /** Footers and checkpoints, written one after another behind the commits. */
  #chores: Promise<void> = Promise.resolve()
  /** Rewriting, and what must not see it happen, one after another. */
  #exclusive: Promise<unknown> = Promise.resolve()
  #isRolling = false
  #isClosing = false
  #cancelRemoval: Cancel | undefined

  constructor(options: ShardOptions, recovered: Recovered) {
    this.id = options.id
    this.limits = options.limits
    this.logger = options.logger
    this.#disk = options.disk
    this.clock = options.clock
    this.#lsns = options.lsns
    this.#backlog = options.backlog
    this.#spares = options.spares
    this.#blockEpoch = options.blockEpoch
    const { slabs, limits } = options
    this.#tailCache = new TailCache(limits.tailBytesMax, () => slabs.takenLength > limits.memoryMax)
    this.readAhead = new ReadAhead(options.clock)
    const { segments, manifest } = recovered
    this.#list = new SegmentList({
      ...options,
      shard: options.id,
      manifestName: manifestName(options.id),
      segments,
      manifest,
    })
    this.segments = this.#list.all
    this.recovered = recovered.states
    this.#synced = this.#written = recovered.tail
    this.#nextBlock = recovered.tail.blockNumber + 1
    this.#checkpointed = recovered.checkpointed
    this.#anchor = new AnchorFile(recovered.anchorFile, recovered.anchorSlot, error => this.#fence(error))
    if (recovered.fault !== undefined) this.#fence(new Error(recovered.fault))
  }

  /** Why nothing is appended here any more, once something has failed. */
  get fault(): KafkaError | undefined {
    return this.#fault
  }

  /** The last block that is known to be on disk. */
  get synced(): Tail {
    return this.#synced
  }

  /** The number of the block that takes what is accepted next, or took what was accepted last: the commit epoch. */
  get epoch(): number {
    return this.#nextBlock - 1
  }

  /** Commits all that was accepted until now; resolves when it is on disk, rejects with KAFKA_STORAGE_ERROR. */
  flush(): Promise<void> {
    if (this.#open) this.hasten(this.#open)
    return this.#newest
  }

  /** Commits the block of this number and those before it; resolves and rejects as `flush`. */
  async flushed(blockNumber: number): Promise<void> {
    if (blockNumber <= this.#synced.blockNumber) return
    if (this.#fault) throw this.#fault
    const block = [...this.#closed, this.#open].find(each => each?.number === blockNumber)
    assert(block !== undefined, `block ${blockNumber} waited for, which nothing was accepted into`)
    this.hasten(block)
    await block.committed
  }

  get folder(): string {
    return folderOf(this.id)
  }

  /** Takes over the stamped batch at `at` of a region, held for it; decides its LSN, its place and its block at once. */
  accept(log: PartitionLog, region: Region, at: number, durability: Durability): Block {
    const { state } = log
    const block = (this.#open ??= this.#openBlock())
    const { segment } = block
    const memory = segment.memory!
    const lsn = this.#lsns.next++
    const ordinal = memory.add()
    const row = memory.row(ordinal, this.#row)
    writeRow(row.bytes, row.at, region.bytes, at, { partition: log.id, position: block.bodyLength, lsn })
    memory.keep(ordinal, region, at)
    state.extend(row, block.openedMs)
    state.place(segment, ordinal, row, block.position, this.limits.strideRecords)
    const { recordCount, length } = row
    const { mode, recordsMax, delayMsMax } = durability
    block.join(log, mode === 'async')
    block.lastLsn = lsn
    block.entryCount++
    block.recordCount += recordCount
    block.bodyLength += length
    this.#backlog.add(length, recordCount)
    this.#newest = block.committed
    if (mode === 'sync') block.isSync = true
    if (delayMsMax < block.delayMs) this.#waitFor(block, delayMsMax)
    if (block.recordCount >= recordsMax) this.hasten(block)
    const isFull = block.bodyLength >= this.limits.blockBytes
    if (isFull || (block.isSync && !this.#isGathering)) this.#closeBlock()
    return block
  }

  /** What is accepted until `endProduce` is one produce. */
  beginProduce(): void {
    this.#isGathering = true
  }

  endProduce(): void {
    this.#isGathering = false
    if (this.#open?.isSync) this.#closeBlock()
  }

  #waitFor(block: Block, delayMs: number): void {
    if (delayMs > 0)
      block.wait(
        delayMs,
        this.clock.after(delayMs, () => this.hasten(block)),
      )
    else this.hasten(block)
  }

  /** Has a block closed and committed as soon as the one before it is synced. */
  hasten(block: Block): void {
    if (block.isDue) return
    block.isDue = true
    block.delayMs = 0
    this.#commitSoon()
  }

  #commitSoon(): void {
    if (this.#isCommitting) return
    this.#isCommitting = true
    // Whatever else this turn of the event loop brings shares the block.
    this.clock.soon(() => {
      this.#commits = this.#commitAll()
    })
  }

  #openBlock(): Block {
    let segment = this.segments.at(-1)
    if (!segment?.memory || segment.isFull) {
      segment = new Segment(this.#disk, this.folder, this.#nextBlock)
      segment.memory = new SegmentMemory()
      this.#list.all.push(segment)
    }
    return new Block(this.#nextBlock++, segment, { firstLsn: this.#lsns.next, openedMs: this.clock.now() })
  }

  #closeBlock(): void {
    const block = this.#open!
    this.#open = undefined
    block.close()
    const { segment } = block
    segment.size += block.length
    segment.lastBlock = block.number
    const { segmentBytes, segmentEntries } = this.limits
    const isFull = segment.size >= segmentBytes || segment.memory!.rows.count >= segmentEntries
    if (isFull || this.#isRolling) {
      segment.isFull = true
      // Now, while no later entry has moved any bookmark.
      block.bookmarks = this.#writeBookmarks()
    }
    this.#closed.push(block)
    this.#commitSoon()
    this.#writeAhead()
  }

  #writeBookmarks(): Buffer {
    return writeBookmarks(this.states(), this.#list.generationSwapped)
  }

  *states(): Generator<PartitionState> {
    for (const log of this.logs.values()) yield log.state
    yield* this.recovered.values()
  }

  async #commitAll(): Promise<void> {
    while (!this.#fault) {
      if (this.#closed.length === 0 && this.#open?.isDue) this.#closeBlock()
      const block = this.#closed[0]
      if (!block) break
      try {
        await this.#commit(block)
      } catch (error) {
        this.#fence(error)
      }
    }
    // Only a fault leaves a write behind. Without one nothing may be awaited here: what is accepted meanwhile would wait for ever.
    if (this.#ahead) await this.#ahead.catch(() => {})
    this.#isCommitting = false
  }

  async #commit(block: Block): Promise<void> {
    const { segment } = block
    const written = this.#ahead ?? this.#write(block)
    await written
    this.#ahead = undefined
    if (this.#fault) return
    this.#isSyncing = true
    this.#writeAhead()
    await segment.file.sync().finally(() => (this.#isSyncing = false))
    await block.index
    // Something else may have failed meanwhile; then this block was refused already.
    if (this.#fault) return
    this.#synced = block.tail!
    segment.lastHeaderCrc = this.#synced.headerCrc
    this.#closed.shift()
    this.#publish(block)
  }

  /** Writes the second closed block while the first is synced. That another segment begins is to say that all before it is synced. */
  #writeAhead(): void {
    const [syncing, next] = this.#closed
    if (!this.#isSyncing || this.#ahead || next?.segment !== syncing!.segment) return
    this.#ahead = this.#write(next)
    this.#ahead.catch(() => {}) // awaited when the block's turn comes
  }

  async #write(block: Block): Promise<void> {
    const { segment, entryCount, firstOrdinal } = block
    if (!segment.isOpen) {
      // By name only: what the file holds is overwritten after the name is on disk.
      await this.#spares.give(segment.logName)
      await segment.open()
    }
    const head = block.head!
    const commitTime = Math.max(this.#written.commitTime, this.clock.now())
    const headerCrc = writeBlockHeader(head, {
      previousCrc: this.#written.headerCrc,
      number: block.number,
      epoch: this.#blockEpoch,
      shard: this.id,
      firstLsn: block.firstLsn,
      lastLsn: block.lastLsn,
      knownSynced: this.#synced.blockNumber,
      commitTime,
      entryCount,
      bodyLength: block.bodyLength,
    })
    this.#written = block.tail = {
      blockNumber: block.number,
      headerCrc,
      segment: segment.firstBlock,
      position: block.position + block.length,
      lsn: block.lastLsn,
      commitTime,
      blockEpoch: this.#blockEpoch,
    }
    block.index = block.indexPieces.length > 0 ? segment.writeIndex(block.indexPieces) : undefined
    block.index?.catch(() => {}) // awaited once the block itself is safe
    const batches = segment.memory!.pieces(firstOrdinal, entryCount)
    await segment.file.writev(block.position, [head, ...batches])
    if (!this.#fault) this.#showAsync(block)
  }

  /** Lets everybody see what is written and not synced yet, where that is all that was promised. */
  #showAsync({ logs, ends, isAsync }: Block): void {
    if (!isAsync.includes(true)) return
    const shown = logs.filter((_, index) => isAsync[index])
    for (let index = 0; index < logs.length; index++) {
      if (isAsync[index]) logs[index]!.show(ends[index]!)
    }
    for (const log of shown) log.notify()
  }

  #publish(block: Block): void {
    const { segment, firstOrdinal, entryCount, recordCount, bodyLength, logs, ends, isAsync } = block
    this.#anchor.write(this.#synced)
    for (let index = 0; index < logs.length; index++) logs[index]!.sync(ends[index]!)
    this.#tailCache.add({ segment, firstOrdinal, count: entryCount, length: bodyLength })
    block.resolve()
    for (let index = 0; index < logs.length; index++) if (!isAsync[index]) logs[index]!.notify()
    if (block.bookmarks) this.#retire(segment, writeCheckpoint(this.#synced, block.bookmarks))
    this.#backlog.remove(bodyLength, recordCount)
  }

  /** Closes a full segment for good, while the next one is already written. */
  #retire(segment: Segment, checkpoint: Buffer): void {
    const { runs } = segment.memory!
    void this.#chore(async () => {
      await segment.finish()
      await this.#keepCheckpoint(checkpoint, segment.lastBlock)
      for (const { partition } of runs) this.logs.get(partition)?.dropDead()
      if (segment.memory?.cachedCount === 0) segment.forget()
      await this.#removeDead()
    })
  }

  async #keepCheckpoint(checkpoint: Buffer, blockNumber: number): Promise<void> {
    await this.#disk.replace(checkpointName(this.id), checkpoint)
    this.#checkpointed = blockNumber
  }

  #chore(work: () => Promise<void>): Promise<void> {
    return (this.#chores = this.#chores.then(async () => {
      if (this.#fault) return
      try {
        await work()
      } catch (error) {
        this.#fence(error)
      }
    }))
  }

  /** Runs what must not see segments being rewritten, or rewrites them: one after another. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#exclusive.then(work)
    this.#exclusive = result.catch(() => {})
    return result
  }

  /** What goes on in the background is to end. */
  get isStopping(): boolean {
    return this.#isClosing || this.#fault !== undefined
  }

  /** Whether a segment is as it will be, and a restart finds its end again without it. */
  isSettled(segment: Segment): boolean {
    return segment.isClosed && segment.lastBlock <= this.#checkpointed
  }

  /** Whether an entry is still wanted. */
  isAlive(row: RowView): boolean {
    const { partition } = row
    const state = this.logs.get(partition)?.state ?? this.recovered.get(partition)
    return state !== undefined && row.nextOffset > state.logStart
  }

  /** A segment for what is kept of others, of which the first begins at this block. */
  newSegment(firstBlock: number): Segment {
    return new Segment(this.#disk, this.folder, firstBlock, this.#list.takeGeneration())
  }

  /**
   * Closes the newest segment, so that all that was accepted until now can be rewritten. Resolves once it is settled; rejects with
   * KAFKA_STORAGE_ERROR.
   */
  async roll(): Promise<void> {
    const newest = this.#closed.at(-1)
    if (this.#fault) throw this.#fault
    if (this.#open) {
      this.#isRolling = true
      this.#closeBlock()
      this.#isRolling = false
    } else if (!newest) {
      this.#rollAtRest()
    } else if (!newest.segment.isFull) {
      newest.segment.isFull = true
      newest.bookmarks = this.#writeBookmarks()
    }
    await this.flush()
    await this.#chores
    if (this.#fault) throw this.#fault
  }

  /** All that was accepted is synced: closes the newest segment, or says in a checkpoint that those are settled that are closed. */
  #rollAtRest(): void {
    const segment = this.segments.at(-1)
    // One that has no block stays: the next block begins a file of the same name.
    const isEnded = segment?.memory && !segment.isFull && segment.memory.rows.count > 0
    const isSettled = this.segments.every(each => !each.isClosed || this.isSettled(each))
    if (!isEnded && isSettled) return
    const { blockNumber } = this.#synced
    const checkpoint = writeCheckpoint(this.#synced, this.#writeBookmarks())
    if (isEnded) {
      segment.isFull = true
      this.#retire(segment, checkpoint)
    } else void this.#chore(() => this.#keepCheckpoint(checkpoint, blockNumber))
  }

  /**
   * Puts what was kept of segments in their place, and notes how far partitions were compacted; resolves to whether that is done,
   * which it is not on a shard that has failed. `swapped` is called as soon as readers see it.
   */
  async swap(rewritten: Rewritten, swapped: () => void): Promise<boolean> {
    let isDone = false
    await this.#chore(async () => {
      const states = (): Iterable<PartitionState> => this.states()
      await this.#list.swap(rewritten, { states, compacted: this.#compacted(), swapped })
      this.#tailCache.drop(rewritten.sources)
      // What they aborted may be forgotten as soon as this is done.
      await this.readAhead.drop()
      await this.#removeDead()
      isDone = true
    })
    return isDone
  }

  /** Notes how far partitions were compacted. */
  noteCompacted(): Promise<void> {
    return this.#chore(() => this.#list.noteCompacted(this.#compacted()))
  }

  #compacted(): CompactedPartition[] {
    return [...this.states()]
      .filter(({ compactedOffset }) => compactedOffset > 0)
      .map(({ partition, cleanedOffset, compactedOffset }) => ({ partition, cleanedOffset, compactedOffset }))
  }

  /** Removes the segments in which nothing is alive any more, if `dead` has any. */
  sweep(dead: readonly Segment[]): void {
    if (dead.length > 0) void this.#chore(() => this.#removeDead())
  }

  async #removeDead(): Promise<void> {
    const nextMs = await this.#list.removeDead(this.#checkpointed)
    this.#cancelRemoval?.()
    this.#cancelRemoval = undefined
    if (nextMs === Infinity || this.#isClosing) return
    const remove = (): void => void this.#chore(() => this.#removeDead())
    this.#cancelRemoval = this.clock.after(nextMs - this.clock.monotonic(), remove)
  }

  /** Nothing is written here any more until a restart has recovered what is sound. Reads of synced data go on. */
  #fence(error: unknown): void {
    const blocks = [...this.#closed.splice(0), ...(this.#open ? [this.#open] : [])]
    this.#open = undefined
    const { message } = error as Error
    if (!this.#fault) {
      this.#fault = new KafkaError('KAFKA_STORAGE_ERROR', `Shard ${this.id} takes no more writes: ${message}`)
      this.logger.error({ shard: this.id, error }, this.#fault.message)
    }
    for (const block of blocks) {
      block.cancelTimers()
      block.reject(this.#fault)
      this.#backlog.remove(block.bodyLength, block.recordCount)
    }
  }

  /** Settles what is under way, writes a checkpoint and closes the files. Everything must have been committed before. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.flush().catch(() => {})
    // After a fault elsewhere a block may still be being written, and its file must not be another's by then.
    await this.#commits
    await this.#exclusive
    await this.#chores
    await this.readAhead.drop()
    this.#cancelRemoval?.()
    try {
      if (!this.#fault) await this.#leaveCheckpoint()
    } finally {
      await this.#anchor.close()
      for (const segment of this.segments) {
        segment.memory?.release()
        await segment.close()
      }
    }
  }

  /** Also where no block is new: what the bookmarks say of rewritten segments is. */
  async #leaveCheckpoint(): Promise<void> {
    if (this.#synced.blockNumber > 0) {
      assert(!this.#open && this.#closed.length === 0, 'a shard closed before all was committed')
      const head: CheckpointHead = this.#synced
      await this.#disk.replace(checkpointName(this.id), writeCheckpoint(head, this.#writeBookmarks()))
    }
    const newest = this.segments.at(-1)
    if (newest?.isOpen && !newest.isClosed) await newest.trim()
  }
}

/** The folder of a shard's files. */
export function folderOf(shard: number): string {
  return `shard-${shard}`
}

export function checkpointName(shard: number): string {
  return `${folderOf(shard)}/checkpoint`
}

export function anchorName(shard: number): string {
  return `${folderOf(shard)}/anchor`
}

export function manifestName(shard: number): string {
  return `${folderOf(shard)}/manifest`
}
