import { expect, test } from 'vitest'
import { seededRandom, type Random } from '../../../src/base/random.ts'
import { codecs, readBatch, type Batch } from '../../../src/protocol/records/batch.ts'
import { buildMarker } from '../../../src/protocol/records/control.ts'
import { buildBatch, readRecords, type Record } from '../../../src/protocol/records/record.ts'
import { cleanBatch, type CleaningRules } from '../../../src/storage/compaction/batch-cleaning.ts'
import { DirtySection } from '../../../src/storage/compaction/dirty-section.ts'
import { OffsetMap } from '../../../src/storage/compaction/offset-map.ts'
import { TransactionWalk, type AbortedTransaction } from '../../../src/storage/compaction/transaction-walk.ts'
import { Producers } from '../../../src/storage/producer-state.ts'

const { COMPACTION_SEED = '4200', COMPACTION_SEED_COUNT = '20' } = process.env
const seeds = Array.from(
  { length: Number(COMPACTION_SEED_COUNT) },
  (_, index) => Number(COMPACTION_SEED) + index,
)

/** The values of the keys that are there, as a reader builds them up; a record is known by its offset. */
type Table = Map<string, number>

interface Writer {
  readonly producerId: bigint
  readonly isTransactional: boolean
  sequence: number
  firstOffset: number | undefined
}

/** Reads on with every step of the simulation, as slowly as a consumer may. */
interface Reader {
  readonly startedMs: number
  readonly idlePercent: number
  offset: number
  readonly table: Table
}

class Simulation {
  readonly random: Random
  /** What was written, never cleaned, and what cleaning left of it. */
  readonly history: Batch[] = []
  log: Batch[] = []
  readonly byOffset = new Map<number, Record>()
  readonly aborted: AbortedTransaction[] = []
  readonly producers = new Producers()
  readonly writers: Writer[]
  readers: Reader[] = []
  readonly keyCount: number
  readonly deleteRetentionMs: number
  nowMs = 1_000_000
  endOffset = 0
  dirtyOffset = 0
  /** How many readers came to the end within delete.retention.ms, so that a run that proves nothing is seen. */
  finished = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.keyCount = 1 + this.random.below(30)
    this.deleteRetentionMs = 500 + this.random.below(1500)
    this.writers = Array.from({ length: 4 }, (_, index) => ({
      producerId: index === 0 ? -1n : BigInt(index),
      isTransactional: index > 1,
      sequence: 0,
      firstOffset: undefined,
    }))
  }

  chance(percent: number): boolean {
    return this.random.below(100) < percent
  }

  step(): void {
    this.nowMs += this.random.below(50)
    const what = this.random.below(100)
    if (what < 50) this.write()
    else if (what < 65) this.endTransaction()
    else if (what < 80) this.clean()
    else if (what < 85) this.startReader()
    else if (what < 90) this.readThrough()
    this.readers = this.readers.filter(reader => this.chance(reader.idlePercent) || this.readOn(reader))
  }

  startReader(): void {
    const idlePercent = this.random.below(60)
    this.readers.push({ startedMs: this.nowMs, idlePercent, offset: 0, table: new Map() })
  }

  /** One who reads all in less than delete.retention.ms, with cleanings in between. */
  readThrough(): void {
    const reader: Reader = { startedMs: this.nowMs, idlePercent: 0, offset: 0, table: new Map() }
    for (let pauses = 4; this.readOn(reader);) {
      if (pauses === 0 || !this.chance(20)) continue
      pauses--
      this.nowMs += this.random.below(this.deleteRetentionMs / 4)
      this.clean()
    }
  }

  write(): void {
    const writer = this.writers[this.random.below(this.writers.length)]!
    const { producerId, isTransactional } = writer
    const count = 1 + this.random.below(6)
    const isIdempotent = producerId >= 0n
    if (isTransactional) writer.firstOffset ??= this.endOffset
    this.append(
      buildBatch({
        records: Array.from({ length: count }, () => this.record()),
        baseOffset: BigInt(this.endOffset),
        codec: codecs[this.random.below(codecs.length)]!,
        ...(isIdempotent
          ? { producerId, producerEpoch: 0, baseSequence: writer.sequence, isTransactional }
          : {}),
        ...(this.chance(20)
          ? { timestampType: 'LogAppendTime' as const, maxTimestamp: BigInt(this.nowMs) }
          : {}),
      }),
    )
    if (isIdempotent) writer.sequence += count
  }

  record(): { key: Buffer | null; value: Buffer | null; timestamp: bigint; headers: Record['headers'] } {
    const text = `key-${this.random.below(this.keyCount)}`
    return {
      key: this.chance(4) ? null : Buffer.from(text),
      value: this.chance(30) ? null : this.random.bytes(this.random.below(20)),
      timestamp: BigInt(this.nowMs - this.random.below(100)),
      headers: this.chance(10) ? [{ key: 'h', value: this.random.bytes(2) }] : [],
    }
  }

  endTransaction(): void {
    const writer = this.writers.find(each => each.firstOffset !== undefined)
    if (!writer) return
    const { producerId, firstOffset } = writer
    const type = this.chance(50) ? 'COMMIT' : 'ABORT'
    const marker = { type, producerId, producerEpoch: 0, coordinatorEpoch: 0 } as const
    if (type === 'ABORT')
      this.aborted.push({ producerId, firstOffset: firstOffset!, lastOffset: this.endOffset })
    writer.firstOffset = undefined
    this.append(buildMarker({ ...marker, timestamp: BigInt(this.nowMs), baseOffset: BigInt(this.endOffset) }))
  }

  append(bytes: Buffer): void {
    const batch = readBatch(bytes)
    const { producerId, producerEpoch, baseSequence, lastOffsetDelta } = batch
    this.history.push(batch)
    this.log.push(batch)
    for (const record of readRecords(batch)) this.byOffset.set(Number(record.offset), record)
    this.endOffset = Number(batch.lastOffset) + 1
    if (batch.hasProducerId && !batch.isControl) {
      const sequenced = { producerId, producerEpoch, baseSequence, lastOffsetDelta }
      this.producers.note(sequenced, Number(batch.lastOffset), this.nowMs)
    }
  }

  get lastStableOffset(): number {
    return Math.min(this.endOffset, ...this.writers.map(writer => writer.firstOffset ?? Infinity))
  }

  /** Cleans up to a random place, often with a map that is too small for that. */
  clean(
    firstUncleanableOffset = this.anyUncleanableOffset(),
    bytesMax = 24 * (3 + this.random.below(this.keyCount)),
  ): void {
    if (firstUncleanableOffset <= this.dirtyOffset) return
    const aborted = this.aborted
    const map = new OffsetMap({ bytesMax, loadFactor: 0.9, recordCount: this.endOffset })
    const firstDirtyOffset = this.dirtyOffset
    const section = new DirtySection({ firstDirtyOffset, firstUncleanableOffset, map, aborted })
    for (const batch of this.log) if (batch.lastOffset >= firstDirtyOffset && !section.add(batch)) break
    expect(section.endOffset).toBeGreaterThan(firstDirtyOffset)

    const { producers, nowMs, deleteRetentionMs } = this
    const walk = new TransactionWalk(aborted)
    const rules: CleaningRules = { section, walk, producers, nowMs, deleteRetentionMs }
    this.log = this.log.flatMap(batch => {
      const cleaned = cleanBatch(batch, rules)
      if (cleaned.kind !== 'kept') expect(batch.baseOffset).toBeLessThan(section.endOffset)
      if (cleaned.kind === 'dropped') return []
      return cleaned.kind === 'kept' ? [batch] : [readBatch(cleaned.bytes)]
    })
    this.dirtyOffset = section.endOffset
    this.check()
  }

  anyUncleanableOffset(): number {
    const ends = this.log
      .map(batch => Number(batch.lastOffset) + 1)
      .filter(end => end <= this.lastStableOffset)
    return ends[this.random.below(ends.length || 1)] ?? 0
  }

  isAborted(batch: Batch): boolean {
    return this.aborted.some(
      ({ producerId, firstOffset, lastOffset }) =>
        batch.producerId === producerId &&
        batch.isTransactional &&
        batch.baseOffset >= firstOffset &&
        batch.baseOffset <= lastOffset,
    )
  }

  /** What one who reads only what is committed makes of a batch. */
  apply(table: Table, batch: Batch, from = 0): void {
    if (batch.isControl || this.isAborted(batch)) return
    for (const { key, value, offset } of readRecords(batch)) {
      if (key === null || offset < from) continue
      if (value === null) table.delete(key.toString())
      else table.set(key.toString(), Number(offset))
    }
  }

  tableOf(batches: readonly Batch[], end: number): Table {
    const table: Table = new Map()
    for (const batch of batches) if (batch.lastOffset < end) this.apply(table, batch)
    return table
  }

  /** Reads at most one batch; false once the reader is at the end. */
  readOn(reader: Reader): boolean {
    const end = this.lastStableOffset
    const next = this.log.find(batch => batch.lastOffset >= reader.offset && batch.lastOffset < end)
    if (next) {
      this.apply(reader.table, next, reader.offset)
      reader.offset = Number(next.lastOffset) + 1
      return true
    }
    if (this.nowMs - reader.startedMs < this.deleteRetentionMs) {
      expect(sorted(reader.table)).toEqual(sorted(this.tableOf(this.history, end)))
      this.finished++
    }
    return false
  }

  check(): void {
    const end = this.lastStableOffset
    expect(sorted(this.tableOf(this.log, end))).toEqual(sorted(this.tableOf(this.history, end)))
    this.checkBatches()
    this.checkMarkers()
    this.checkProducers()
  }

  /** Each batch that is left is one that was written, less some of its records. */
  checkBatches(): void {
    const written = new Map(this.history.map(batch => [batch.baseOffset, batch]))
    let nextOffset = 0n
    for (const batch of this.log) {
      const original = written.get(batch.baseOffset)!
      for (const name of untouched) expect(batch[name]).toBe(original[name])
      expect(batch.isSound).toBe(true)
      expect(batch.sizeInBytes).toBe(batch.bytes.length)
      expect(batch.baseOffset).toBeGreaterThanOrEqual(nextOffset)
      nextOffset = batch.lastOffset + 1n
      const records = [...readRecords(batch)]
      expect(records).toHaveLength(batch.recordCount)
      for (const record of records) expect(record).toEqual(this.byOffset.get(Number(record.offset)))
    }
  }

  /** Where data of a transaction is left, so is its marker. */
  checkMarkers(): void {
    const left = new Set(this.log.filter(batch => batch.isControl).map(batch => batch.baseOffset))
    for (const batch of this.log) {
      if (!batch.isTransactional || batch.isControl || batch.recordCount === 0) continue
      const marker = this.history.find(
        each => each.isControl && each.producerId === batch.producerId && each.baseOffset > batch.baseOffset,
      )
      if (marker) expect(left).toContain(marker.baseOffset)
    }
  }

  /** The last sequence of each producer can be read from what is left. */
  checkProducers(): void {
    for (const { producerId, sequence } of this.writers) {
      if (sequence === 0) continue
      const last = this.log.findLast(batch => batch.producerId === producerId && !batch.isControl)
      expect(last!.lastSequence).toBe(sequence - 1)
    }
  }

  /** With time, and no transaction open, nothing is left but the live records. */
  settle(): void {
    while (this.writers.some(writer => writer.firstOffset !== undefined)) this.endTransaction()
    for (let round = 0; round < 4; round++) {
      this.append(buildBatch({ records: [{ value: Buffer.alloc(1) }], baseOffset: BigInt(this.endOffset) }))
      this.clean(this.endOffset, 1 << 20)
      this.nowMs += this.deleteRetentionMs + 1
    }
    const records = this.log.flatMap(batch => (batch.isControl ? [] : [...readRecords(batch)]))
    const live = [...this.tableOf(this.history, this.endOffset).values()].toSorted((a, b) => a - b)
    expect(records.map(({ offset }) => Number(offset))).toEqual(live)
  }
}

const untouched = [
  ...(['lastOffset', 'partitionLeaderEpoch', 'timestampType', 'producerId', 'producerEpoch'] as const),
  ...(['baseSequence', 'isTransactional', 'isControl'] as const),
]

const sorted = (table: Table): [string, number][] => [...table].toSorted(([a], [b]) => (a < b ? -1 : 1))

test.each(seeds)('seed %d: random cleanings change nothing that a reader relies on', seed => {
  const simulation = new Simulation(seed)
  for (let step = 0; step < 250; step++) simulation.step()
  simulation.readThrough()
  expect(simulation.finished).toBeGreaterThan(0)
  simulation.settle()
})
