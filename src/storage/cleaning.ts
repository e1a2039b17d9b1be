import { assert } from '../base/assert.ts'
import { KafkaError } from '../protocol/errors.ts'
import { RecordsError } from '../protocol/records/errors.ts'
import { batchesIn, readBatch, type Batch } from '../protocol/records/batch.ts'
import { cleanable, type Cleanable } from './compaction/cleanable.ts'
import { cleanBatch, type CleaningRules } from './compaction/batch-cleaning.ts'
import { DirtySection } from './compaction/dirty-section.ts'
import { OffsetMap, offsetMapLength } from './compaction/offset-map.ts'
import { TransactionWalk, type AbortedTransaction } from './compaction/transaction-walk.ts'
import type { Pace } from './pace.ts'
import type { PartitionId, PartitionLog } from './partition-log.ts'
import { rewriteGroups, type ReclaimOptions } from './reclaiming.ts'
import type { Judge, Verdict } from './rewriting.ts'
import type { RowView } from './row.ts'
import type { Segment } from './segment.ts'
import type { Shard } from './shard.ts'

export interface CompactionOptions extends ReclaimOptions {
  /** Bytes for the latest offsets of keys (`log.cleaner.dedupe.buffer.size`). */
  readonly mapBytesMax: number
  /** `log.cleaner.io.buffer.load.factor`. */
  readonly loadFactor: number
  /** Clean whatever may be cleaned, be it due or not. */
  readonly isForced: boolean
  /** Cleans this partition alone. */
  readonly only?: PartitionId | undefined
}

// A reader holds up the event loop for as long as it takes to look into so many bytes of records.
const readLength = 64 * 1024

/**
 * Compacts those partitions of a shard that are due, in one pass over its segments; partitions that find no memory are left for the
 * next one. Rejects with the disk's errors. To be run by `Shard.exclusively`.
 */
export async function compact(shard: Shard, options: CompactionOptions): Promise<void> {
  const nowMs = shard.clock.now()
  const due = dueLogs(shard, nowMs, options)
  const cleanings: LogCleaning[] = []
  const { loadFactor } = options
  let bytesMax = Math.max(options.mapBytesMax, offsetMapLength(1, loadFactor))
  for (const each of due) {
    const { log, range } = each
    const recordCount = Math.max(0, range.firstUncleanableOffset - range.firstDirtyOffset)
    // Only the first may be cut short by too little memory.
    if (cleanings.length > 0 && offsetMapLength(recordCount, loadFactor) > bytesMax) break
    const map = new OffsetMap({ bytesMax, loadFactor, recordCount })
    const cleaning = new LogCleaning(shard, each, map, nowMs)
    try {
      await cleaning.decide(options.pace)
    } catch (error) {
      // The log was deleted meanwhile, or moved its start; or cannot be read, which was told.
      if (error instanceof KafkaError) continue
      if (!(error instanceof RecordsError)) throw error
      log.isUncleanable = true
      shard.logger.error({ partition: log.id, error }, 'a partition with unsound records is not compacted')
      continue
    }
    if (shard.isStopping) return
    cleanings.push(cleaning)
    bytesMax -= map.sizeInBytes
  }
  if (cleanings.length > 0) await apply(shard, cleanings, options)
}

interface Due {
  readonly log: PartitionLog
  readonly range: Cleanable
}

/** What is to be cleaned: first what must be, then by how dirty it is. */
function dueLogs(shard: Shard, nowMs: number, { isForced, only }: CompactionOptions): Due[] {
  const due: Due[] = []
  for (const log of shard.logs.values()) {
    const { settings, state } = log
    if (!settings.isCompacted || log.isUncleanable) continue
    if (only !== undefined && log.id !== only) continue
    if (state.runs.some(({ segment }) => segment.isUnsound)) continue
    const range = cleanable(
      {
        segments: log.segments,
        logStartOffset: state.logStart,
        logEndOffset: state.nextOffset,
        lastStableOffset: Math.min(log.syncedOffset, Number(log.lastStableOffset)),
        cleanedOffset: state.cleanedOffset,
      },
      settings,
      nowMs,
    )
    const isPossible = range.firstUncleanableOffset > state.logStart
    if (range.isDue || (isForced && isPossible)) due.push({ log, range })
  }
  return due.sort(
    (a, b) => Number(b.range.mustClean) - Number(a.range.mustClean) || b.range.ratio - a.range.ratio,
  )
}

/** Rewrites the segments in which something changes, and notes how far everything is clean. */
async function apply(
  shard: Shard,
  cleanings: readonly LogCleaning[],
  options: CompactionOptions,
): Promise<void> {
  const changed = new Set(cleanings.flatMap(cleaning => cleaning.changedSegments()))
  const isUnsettled = (): boolean => [...changed].some(segment => !shard.isSettled(segment))
  if (isUnsettled()) await shard.roll()
  assert(!isUnsettled(), 'a segment that cannot be rewritten once its shard has rolled')
  const byPartition = new Map(cleanings.map(cleaning => [cleaning.log.id, cleaning]))
  const judge: Judge = (row, batch) => byPartition.get(row.partition)?.judge(row, batch) ?? 'kept'
  for (const { log, endOffset } of cleanings) {
    const { state } = log
    state.compactedOffset = Math.max(state.compactedOffset, endOffset)
  }
  const isDone = await rewriteGroups(shard, {
    ...options,
    isWanted: segment => changed.has(segment),
    judge,
    swapped: () => {
      for (const cleaning of cleanings) cleaning.settle()
    },
  })
  if (!isDone) return
  for (const cleaning of cleanings) {
    cleaning.finish()
    const { log, endOffset } = cleaning
    const { settings, state } = log
    state.cleanedOffset = Math.max(state.cleanedOffset, endOffset)
    state.virtualSegments.join(endOffset, settings.segmentBytes)
  }
  await shard.noteCompacted()
}

const changes = { dropped: 0, replaced: 1, replacedObsolete: 2 } as const

/** One cleaning of one partition: first it is decided which batches change, then each is asked for as it is copied. */
class LogCleaning {
  readonly log: PartitionLog
  readonly #shard: Shard
  readonly #range: Cleanable
  readonly #rules: Omit<CleaningRules, 'walk'> & { readonly section: DirtySection }
  /** The batches that change, by base offset, and what becomes of them. */
  readonly #offsets: number[] = []
  readonly #changes: number[] = []
  readonly #aborted: readonly AbortedTransaction[]
  /** The markers behind which no data is left: what they aborted, nobody can read any more. */
  readonly #obsoleteMarkers = new Set<number>()
  /** The greatest timestamp that is left in each segment, by where the segment begins. */
  readonly #timestamps = new Map<number, number>()
  #next = 0
  /** Bytes that are gone from segments that are not in place yet. */
  #saved: { baseOffset: number; nextOffset: number; length: number }[] = []

  constructor(shard: Shard, { log, range }: Due, map: OffsetMap, nowMs: number) {
    this.#shard = shard
    this.log = log
    this.#range = range
    this.#aborted = log.state.transactions.aborted.between(log.state.logStart, range.firstUncleanableOffset)
    this.#rules = {
      section: new DirtySection({ ...range, map, aborted: this.#aborted }),
      producers: log.state.producers,
      nowMs,
      deleteRetentionMs: log.settings.deleteRetentionMs,
    }
  }

  /** Everything below is clean when this is done. */
  get endOffset(): number {
    return this.#rules.section.endOffset
  }

  /** Throws RecordsError where records are not sound. On a shard that is stopping it ends before it has seen all. */
  async decide(pace: Pace): Promise<void> {
    const { section } = this.#rules
    const { firstDirtyOffset, firstUncleanableOffset } = this.#range
    await this.#visit(firstDirtyOffset, firstUncleanableOffset, pace, batch => section.add(batch))
    const transactions = new TransactionWalk(this.#aborted)
    let isObsolete = false
    const walk = { pass: (batch: Batch): boolean => (isObsolete = transactions.pass(batch)) }
    const rules: CleaningRules = { ...this.#rules, walk }
    const { segments } = this.log
    let segment = 0
    // The last batch of which something is clean may reach beyond.
    await this.#visit(this.log.state.logStart, firstUncleanableOffset, pace, batch => {
      if (batch.baseOffset >= this.endOffset) return false
      isObsolete = false
      const cleaned = cleanBatch(batch, rules)
      const { kind } = cleaned
      if (isObsolete && batch.isControl) this.#obsoleteMarkers.add(Number(batch.lastOffset))
      while (segment + 1 < segments.length && segments[segment + 1]!.baseOffset <= batch.baseOffset) segment++
      if (kind !== 'dropped')
        this.#noteLeft(segments[segment]!.baseOffset, kind === 'kept' ? batch : readBatch(cleaned.bytes))
      if (kind === 'kept') return true
      this.#offsets.push(Number(batch.baseOffset))
      const replaced = isObsolete ? changes.replacedObsolete : changes.replaced
      this.#changes.push(kind === 'dropped' ? changes.dropped : replaced)
      return true
    })
  }

  #noteLeft(segmentStart: number, { maxTimestamp }: Batch): void {
    const greatest = this.#timestamps.get(segmentStart) ?? -Infinity
    this.#timestamps.set(segmentStart, Math.max(greatest, Number(maxTimestamp)))
  }

  /** Shows the batches from one offset to another until `look` wants no more. */
  async #visit(from: number, to: number, pace: Pace, look: (batch: Batch) => boolean): Promise<void> {
    const limit = BigInt(to)
    for (let offset = BigInt(Math.max(from, this.log.state.logStart)); offset < limit;) {
      const slice = await this.log.read(offset, { lengthMax: readLength, limit, atLeastOne: true })
      try {
        for (const piece of slice.pieces) for (const batch of batchesIn(piece)) if (!look(batch)) return
      } finally {
        slice.release()
      }
      if (slice.length === 0 || this.#shard.isStopping) return
      offset = slice.nextOffset
      await pace.pass(slice.length)
    }
  }

  /** The segments in which something changes. */
  changedSegments(): Segment[] {
    const segments: Segment[] = []
    let at = 0
    for (const { segment, nextOffset } of this.log.state.runs) {
      const first = at
      while (at < this.#offsets.length && this.#offsets[at]! < nextOffset) at++
      if (at > first) segments.push(segment)
    }
    return segments
  }

  /** What becomes of the next of the partition's entries. */
  judge(row: RowView, batch: () => Batch): Verdict {
    const { baseOffset, nextOffset, length } = row
    while (this.#next < this.#offsets.length && this.#offsets[this.#next]! < baseOffset) this.#next++
    if (this.#offsets[this.#next] !== baseOffset) return 'kept'
    const change = this.#changes[this.#next]!
    const cleaned = change === changes.dropped ? ({ kind: 'dropped' } as const) : this.#clean(batch(), change)
    if (cleaned.kind === 'kept') return 'kept'
    const left = cleaned.kind === 'dropped' ? 0 : cleaned.bytes.length
    this.#saved.push({ baseOffset, nextOffset, length: length - left })
    return cleaned.kind === 'dropped' ? 'dropped' : cleaned.bytes
  }

  /** As it was decided before, unless the producer has written since and the header is not needed any more. */
  #clean(batch: Batch, change: number): ReturnType<typeof cleanBatch> {
    return cleanBatch(batch, { ...this.#rules, walk: { pass: () => change === changes.replacedObsolete } })
  }

  /** It is done, and what it took away can be forgotten. */
  finish(): void {
    const { transactions, virtualSegments } = this.log.state
    transactions.forgetAborted(this.#obsoleteMarkers)
    virtualSegments.date(this.endOffset, this.#timestamps)
  }

  /** The segments that were judged last are in place. */
  settle(): void {
    for (const saved of this.#saved) this.log.state.shrink(saved, saved.length)
    this.#saved = []
  }
}
