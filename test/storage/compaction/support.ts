import { readBatch, type Batch } from '../../../src/protocol/records/batch.ts'
import { buildMarker } from '../../../src/protocol/records/control.ts'
import { buildBatch, readRecords, type BatchDraft } from '../../../src/protocol/records/record.ts'
import {
  cleanBatch,
  type CleanedBatch,
  type CleaningRules,
} from '../../../src/storage/compaction/batch-cleaning.ts'
import { DirtySection } from '../../../src/storage/compaction/dirty-section.ts'
import { OffsetMap } from '../../../src/storage/compaction/offset-map.ts'
import { TransactionWalk, type AbortedTransaction } from '../../../src/storage/compaction/transaction-walk.ts'

/** `a=1` is a value, `a` a tombstone, `=1` a value without a key. */
export function batchAt(
  baseOffset: number,
  records: readonly string[],
  draft: Partial<BatchDraft> = {},
): Batch {
  const bytes = buildBatch({
    baseOffset: BigInt(baseOffset),
    records: records.map((text, index) => {
      const [key, value] = text.split('=')
      return {
        key: key ? Buffer.from(key) : null,
        value: value === undefined ? null : Buffer.from(value),
        timestamp: BigInt(1000 + baseOffset + index),
      }
    }),
    ...draft,
  })
  return readBatch(bytes)
}

export const transactional = { producerId: 7n, producerEpoch: 0, isTransactional: true } as const

export function markerAt(baseOffset: number, type: 'ABORT' | 'COMMIT', timestamp = 1000n): Batch {
  const { producerId, producerEpoch } = transactional
  const marker = { type, producerId, producerEpoch, coordinatorEpoch: 0, timestamp }
  return readBatch(buildMarker({ ...marker, baseOffset: BigInt(baseOffset) }))
}

/** The records of a batch in the form that `batchAt` takes, each behind its offset. */
export function textOf(batch: Batch): string[] {
  return [...readRecords(batch)].map(({ offset, key, value }) => {
    return `${offset}:${key?.toString() ?? ''}${value === null ? '' : `=${value.toString()}`}`
  })
}

export interface Cleaning {
  readonly firstDirtyOffset?: number
  /** By default the end of the last batch, and a little more. */
  readonly firstUncleanableOffset?: number
  readonly bytesMax?: number
  readonly aborted?: readonly AbortedTransaction[]
  readonly producers?: CleaningRules['producers']
  readonly nowMs?: number
  readonly deleteRetentionMs?: number
}

export function sectionOf(batches: readonly Batch[], cleaning: Cleaning = {}): DirtySection {
  const end = Number(batches.at(-1)!.lastOffset) + 1
  const recordCount = batches.reduce((sum, batch) => sum + batch.recordCount, 0)
  const section = new DirtySection({
    firstDirtyOffset: cleaning.firstDirtyOffset ?? 0,
    firstUncleanableOffset: cleaning.firstUncleanableOffset ?? end + 1,
    map: new OffsetMap({ bytesMax: cleaning.bytesMax ?? 1 << 20, loadFactor: 0.9, recordCount }),
    aborted: cleaning.aborted ?? [],
  })
  for (const batch of batches) {
    if (batch.lastOffset >= (cleaning.firstDirtyOffset ?? 0) && !section.add(batch)) break
  }
  return section
}

/** What one cleaning makes of each batch of a log. */
export function outcomesOf(batches: readonly Batch[], cleaning: Cleaning = {}): CleanedBatch[] {
  const rules: CleaningRules = {
    section: sectionOf(batches, cleaning),
    walk: new TransactionWalk(cleaning.aborted),
    producers: cleaning.producers ?? new Map(),
    nowMs: cleaning.nowMs ?? 5000,
    deleteRetentionMs: cleaning.deleteRetentionMs ?? 100,
  }
  return batches.map(batch => cleanBatch(batch, rules))
}

/** The log as one cleaning leaves it. */
export function clean(batches: readonly Batch[], cleaning: Cleaning = {}): Batch[] {
  const outcomes = outcomesOf(batches, cleaning)
  return batches.flatMap((batch, index) => {
    const outcome = outcomes[index]!
    if (outcome.kind === 'dropped') return []
    return outcome.kind === 'kept' ? [batch] : [readBatch(outcome.bytes)]
  })
}
