import { assert } from '../base/assert.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogSettings } from './log-settings.ts'
import { Producers } from './producer-state.ts'
import { Transactions } from './transactions.ts'
import type { RowView } from './row.ts'
import { RunRows } from './run-rows.ts'
import { Run } from './run.ts'
import type { Segment } from './segment.ts'
import { ifReadableNow } from './unreadable.ts'
import { VirtualSegments } from './virtual-segments.ts'

/**
 * What a partition is made of, between its log start and its end. Live appends and recovery change it by the same `add`, so
 * that a restart finds what was left.
 */
export class PartitionState {
  readonly partition: number
  logStart = 0
  nextOffset = 0
  epochs = new LeaderEpochs()
  readonly producers = new Producers()
  readonly transactions = new Transactions()
  /** Entries count there from when the settings are known; see `configure`. */
  readonly virtualSegments: VirtualSegments
  /** Where the last finished cleaning ended; 0 where there was none. */
  cleanedOffset = 0
  /** Compaction may have taken offsets below this. */
  compactedOffset = 0
  #settings: LogSettings | undefined
  /** When entries were written that came while no settings were known, by base offset; from the first on for which that counts. */
  #writtenMs: Map<number, number> | undefined
  #sizeInBytes = 0
  /** The size is that of what is there, and not the most that it can be. */
  #isWeighed = true
  /** In offset order, one for each segment with something alive. */
  readonly runs: Run[] = []

  constructor(partition: number) {
    this.partition = partition
    this.virtualSegments = new VirtualSegments(partition)
  }

  /** Bytes of the batches from the log start on; for as long as the rows at the start cannot be read, some before it as well. */
  get sizeInBytes(): number {
    if (!this.#isWeighed) this.#weigh()
    return this.#sizeInBytes
  }

  /** Moves the end past the entry that `row` describes, wherever its bytes are; `writtenMs` is when it was written, where that is known. */
  extend(row: RowView, writtenMs?: number): void {
    const { baseOffset, nextOffset } = row
    assert(
      baseOffset >= this.nextOffset,
      () => `partition ${this.partition}: offset ${baseOffset} is not behind its end`,
    )
    if (this.nextOffset === 0) this.logStart = baseOffset
    this.nextOffset = nextOffset
    this.#sizeInBytes += row.length
    this.epochs.note(row.leaderEpoch, baseOffset)
    if (row.hasProducerId) this.#noteProducer(row)
    if (writtenMs === undefined) return
    if (this.#settings) this.virtualSegments.add(row, this.#settings, writtenMs)
    else this.#noteWritten(row, writtenMs)
  }

  /** Where a segment may begin without a time, when its entries were written says how old it is, and where it ends. */
  #noteWritten({ baseOffset, maxTimestamp }: RowView, writtenMs: number): void {
    const { firstTimestamp = 0 } = this.virtualSegments.bookmarks.at(-1) ?? {}
    if (!this.#writtenMs && maxTimestamp >= 0 && firstTimestamp >= 0) return
    this.#writtenMs ??= new Map()
    this.#writtenMs.set(baseOffset, writtenMs)
  }

  #noteProducer(row: RowView): void {
    const { nextOffset, maxTimestamp } = row
    if (row.isControl) {
      const { marker, producerId, producerEpoch } = row
      this.producers.noteMarker(producerId, producerEpoch, marker?.coordinatorEpoch, maxTimestamp)
      if (marker) this.transactions.end(producerId, nextOffset - 1, marker.type === 'ABORT')
      return
    }
    this.producers.note(row, nextOffset - 1, maxTimestamp)
    if (row.isTransactional) this.transactions.note(row.producerId, row.baseOffset)
  }

  /** Cuts segments by these settings from now on, and before them what came while none were known. */
  configure(settings: LogSettings, nowMs: number): void {
    this.#settings = settings
    const { virtualSegments } = this
    if (virtualSegments.endOffset >= this.nextOffset) return
    const from = Math.max(virtualSegments.endOffset, this.logStart)
    const rows = new RunRows()
    for (const run of this.runs) {
      if (run.nextOffset <= from) continue
      for (let index = rows.find(run, from); index < run.rowCount; index++) {
        const row = rows.row(run, index)
        const isFirstDirty =
          virtualSegments.endOffset <= this.cleanedOffset && row.baseOffset >= this.cleanedOffset
        if (isFirstDirty) virtualSegments.roll()
        virtualSegments.add(row, settings, this.#writtenMs?.get(row.baseOffset) ?? nowMs)
      }
    }
    this.#writtenMs = undefined
    virtualSegments.trim(this.logStart)
  }

  /** Notes where the entry lies: at `ordinal` of the segment's memory, in the block at `blockPosition`. */
  place(segment: Segment, ordinal: number, row: RowView, blockPosition: number, strideRecords: number): void {
    let run = this.runs.at(-1)
    if (run?.segment !== segment) {
      run = new Run(segment, this.partition, row.baseOffset)
      run.ordinals = []
      this.runs.push(run)
      segment.memory!.runs.push(run)
      segment.liveRuns++
    }
    segment.batchBytes += row.length
    if (run.add(row, ordinal, strideRecords)) {
      const { baseOffset } = row
      segment.addIndexEntry({
        partition: this.partition,
        blockPosition,
        baseOffset,
        maxTimestamp: run.maxTimestamp,
      })
    }
  }

  /**
   * Forgets what compaction has taken since the checkpoint was drawn that recovery has begun with, when all runs are found. What weighs
   * less since then does so only where something `isRewrittenSince`.
   */
  forgetCompacted(isRewrittenSince: boolean): void {
    this.#forgetAborted()
    if (isRewrittenSince) this.virtualSegments.weigh(this.#rows())
  }

  /** Forgets what was aborted by markers that compaction has taken. */
  #forgetAborted(): void {
    const markers = new Set<number>()
    for (const { lastOffset } of this.transactions.aborted.entries)
      if (lastOffset < this.compactedOffset) markers.add(lastOffset)
    if (markers.size === 0) return
    for (const row of this.#rows()) if (row.marker) markers.delete(row.baseOffset)
    this.transactions.forgetAborted(markers)
  }

  /** Every entry that is left, by moving one view. */
  *#rows(): Generator<RowView, void, void> {
    const rows = new RunRows()
    for (const run of this.runs) for (let index = 0; index < run.rowCount; index++) yield rows.row(run, index)
  }

  /** Fits start and size to the runs that recovery found: what was deleted since the checkpoint may be gone already. */
  settle(): void {
    this.dropDeadRuns()
    // Where compaction has been, the first that is left says nothing of the start.
    if (this.logStart >= this.compactedOffset)
      this.logStart = Math.max(this.logStart, this.runs[0]?.baseOffset ?? this.nextOffset)
    this.transactions.settle()
    this.trim()
    this.#weigh()
  }

  /** Forgets what is known of what lies before the log start. */
  trim(): void {
    const { logStart, transactions } = this
    this.epochs.trim(logStart)
    this.virtualSegments.trim(logStart)
    transactions.trim(logStart)
    this.beginCut()
  }

  /**
   * Has the transactions that began before the log start begin with what is left of them. Where rows cannot be read they stay as they
   * are, which shows nobody too much, until this is asked for again.
   */
  beginCut(): void {
    // Kafka waits for the marker of a transaction without data too. There is nothing left to decide, and where the log says what was
    // open, a marker before its start may be gone already.
    const cut = this.transactions.openBefore(this.logStart)
    if (cut.length === 0) return
    const first = ifReadableNow(() => this.#firstTransactional(new Set(cut)))
    if (!first) return
    this.transactions.beginAt(cut, first)
  }

  /** Where each of these producers wrote first from the log start on, in a transaction. */
  #firstTransactional(producerIds: Set<bigint>): Map<bigint, number> {
    const found = new Map<bigint, number>()
    for (const producerId of producerIds) {
      const newest = this.producers.get(producerId)?.batches.at(-1)
      if (!newest || newest.lastOffset < this.logStart) producerIds.delete(producerId)
    }
    const rows = new RunRows()
    for (const run of this.runs) {
      if (run.nextOffset <= this.logStart) continue
      for (let index = rows.find(run, this.logStart); index < run.rowCount; index++) {
        if (producerIds.size === 0) return found
        const row = rows.row(run, index)
        if (!row.isTransactional || row.isControl || !producerIds.delete(row.producerId)) continue
        found.set(row.producerId, row.baseOffset)
      }
    }
    return found
  }

  /** Moves the log start up. That it does is on disk, and rows that cannot be read keep nobody from it. */
  moveStart(start: number): void {
    const from = this.logStart
    this.logStart = start
    if (!this.#isWeighed) return
    const dead = ifReadableNow(() => this.#sizeBetween(from, start))
    if (dead === undefined) this.#weigh()
    else this.#sizeInBytes -= dead
  }

  /** Counts all anew; where rows cannot be read, all of what their run has, until they can. Who reads there is told. */
  #weigh(): void {
    const { runs, logStart } = this
    const dead = ifReadableNow(() => this.#sizeBetween(runs[0]?.baseOffset ?? 0, logStart))
    this.#isWeighed = dead !== undefined
    this.#sizeInBytes =
      dead === undefined ? sizeOf(runs.filter(run => run.nextOffset > logStart)) : sizeOf(runs) - dead
  }

  #sizeBetween(from: number, to: number): number {
    const rows = new RunRows()
    let size = 0
    for (const run of this.runs) {
      if (run.baseOffset >= to) break
      for (let index = rows.find(run, from); index < run.rowCount; index++) {
        const row = rows.row(run, index)
        if (row.nextOffset > to) break
        size += row.length
      }
    }
    return size
  }

  /**
   * Gives up the runs that end at or before the log start, except one that may still grow. Returns the segments in which
   * nothing is alive now. They are to be kept until `untilMs`.
   */
  dropDeadRuns(untilMs = 0): Segment[] {
    const alive = this.runs.findIndex(run => run.nextOffset > this.logStart || !run.segment.isFull)
    return this.#dropRuns(alive < 0 ? this.runs.length : alive, untilMs)
  }

  /** Gives up all runs, as `dropDeadRuns`. */
  dropAllRuns(untilMs = 0): Segment[] {
    return this.#dropRuns(this.runs.length, untilMs)
  }

  /**
   * Puts `run` in the place of those in `sources`, which follow one another and of which it has what was kept; undefined where
   * nothing was. What has died since is not put there. What compaction has taken is for `shrink`.
   */
  replaceRuns(sources: readonly Segment[], run: Run | undefined): void {
    const first = this.#runFrom(sources[0]!.firstBlock)
    const end = this.#runFrom(sources.at(-1)!.lastBlock + 1)
    if (first === end) return
    const isAlive = run !== undefined && run.nextOffset > this.logStart
    this.runs.splice(first, end - first, ...(isAlive ? [run] : []))
    if (isAlive) run.segment.liveRuns++
  }

  /** `length` bytes less are left of the entry at these offsets. */
  shrink({ baseOffset, nextOffset }: { baseOffset: number; nextOffset: number }, length: number): void {
    if (nextOffset <= this.logStart) return
    this.#sizeInBytes -= length
    this.virtualSegments.shrink(baseOffset, length)
  }

  /** The index of the first run whose segment begins at or behind a block. */
  #runFrom(block: number): number {
    let low = 0
    let high = this.runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.runs[middle]!.segment.firstBlock >= block) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Bytes of a run's batches that are not before the log start. */
  liveBytes(run: Run): number {
    if (run !== this.runs[0]) return run.sizeInBytes
    return run.sizeInBytes - (sizeOf(this.runs) - this.sizeInBytes)
  }

  #dropRuns(count: number, untilMs: number): Segment[] {
    const segments = this.runs.splice(0, count).map(run => run.segment)
    for (const segment of segments) {
      segment.liveRuns--
      segment.keptUntilMs = Math.max(segment.keptUntilMs, untilMs)
    }
    return segments.filter(segment => segment.liveRuns === 0)
  }
}

function sizeOf(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.sizeInBytes, 0)
}
