import { assert } from '../base/assert.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { Producers } from './producer-state.ts'
import type { RowView } from './row.ts'
import { RunRows } from './run-rows.ts'
import { Run } from './run.ts'
import type { Segment } from './segment.ts'

/**
 * What a partition is made of, between its log start and its end. Live appends and recovery change it by the same `add`, so
 * that a restart finds what was left.
 */
export class PartitionState {
  readonly partition: number
  logStart = 0
  nextOffset = 0
  /** Bytes of the batches from the log start on. */
  sizeInBytes = 0
  epochs = new LeaderEpochs()
  readonly producers = new Producers()
  /** In offset order, one for each segment with something alive. */
  readonly runs: Run[] = []

  constructor(partition: number) {
    this.partition = partition
  }

  /** Moves the end past the entry that `row` describes, wherever its bytes are. */
  extend(row: RowView): void {
    const { baseOffset, nextOffset } = row
    assert(
      baseOffset >= this.nextOffset,
      `partition ${this.partition}: offset ${baseOffset} is not behind its end`,
    )
    if (this.nextOffset === 0) this.logStart = baseOffset
    this.nextOffset = nextOffset
    this.sizeInBytes += row.length
    this.epochs.note(row.leaderEpoch, baseOffset)
    if (row.hasProducerId) this.producers.note(row, nextOffset - 1, row.maxTimestamp)
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

  /** Fits start and size to the runs that recovery found: what was deleted since the checkpoint may be gone already. */
  settle(): void {
    this.dropDeadRuns()
    this.logStart = Math.max(this.logStart, this.runs[0]?.baseOffset ?? this.nextOffset)
    this.epochs.trim(this.logStart)
    this.sizeInBytes = this.runs.reduce((sum, run) => sum + run.sizeInBytes, 0)
    this.sizeInBytes -= this.sizeBetween(this.runs[0]?.baseOffset ?? 0, this.logStart)
  }

  /** Bytes of the batches that end behind `from` and at or before `to`. */
  sizeBetween(from: number, to: number): number {
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
   * nothing is alive now.
   */
  dropDeadRuns(): Segment[] {
    const alive = this.runs.findIndex(run => run.nextOffset > this.logStart || !run.segment.isFull)
    return this.#dropRuns(alive < 0 ? this.runs.length : alive)
  }

  /** Gives up all runs, as `dropDeadRuns`. */
  dropAllRuns(): Segment[] {
    return this.#dropRuns(this.runs.length)
  }

  #dropRuns(count: number): Segment[] {
    const segments = this.runs.splice(0, count).map(run => run.segment)
    for (const segment of segments) segment.liveRuns--
    return segments.filter(segment => segment.liveRuns === 0)
  }
}
