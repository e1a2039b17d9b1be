import type { Batch } from '../../protocol/records/batch.ts'
import { buildBatch, readRecords, type BatchDraft, type Record } from '../../protocol/records/record.ts'
import type { Producer } from '../producer-state.ts'
import type { DirtySection } from './dirty-section.ts'
import type { TransactionWalk } from './transaction-walk.ts'

/** What one cleaning of one partition goes by. */
export interface CleaningRules {
  /** All its batches have been added. */
  readonly section: DirtySection
  /** A walk of this cleaning's own: `cleanBatch` moves it on. */
  readonly walk: Pick<TransactionWalk, 'pass'>
  /** The producers whose state is kept; see `Producers`. */
  readonly producers: { get(producerId: bigint): Pick<Producer, 'epoch' | 'batches'> | undefined }
  /** The time at which the cleaning began, in milliseconds since 1970. */
  readonly nowMs: number
  readonly deleteRetentionMs: number
}

/** What becomes of a batch: it stays as it is, other bytes take its place, or it goes. */
export type CleanedBatch =
  | { readonly kind: 'kept' }
  | { readonly kind: 'replaced'; readonly bytes: Buffer }
  | { readonly kind: 'dropped' }

const kept: CleanedBatch = { kind: 'kept' }
const dropped: CleanedBatch = { kind: 'dropped' }
const int64Max = 2n ** 63n - 1n

/**
 * Decides about the next batch of a partition; all from the log start on are to come, in offset order (Cleaner.cleanInto,
 * MemoryRecords.filterTo, KIP-534). A record stays while it is the latest of its key; one without a key goes. A tombstone stays
 * until the batch's delete horizon, which is set when a cleaning first meets it. A marker stays until its transaction's data is
 * gone, and then as a tombstone does. What replaces a batch has its offsets, producer and codec. A batch without records stays as
 * a header where it is the last word of a producer, or the last one that can be cleaned. Bytes are only read. Throws
 * RecordsError for records that are not sound.
 */
export function cleanBatch(batch: Batch, rules: CleaningRules): CleanedBatch {
  const { section, nowMs } = rules
  if (batch.baseOffset >= section.endOffset) return kept
  const isObsolete = rules.walk.pass(batch)
  if (batch.isControl) return cleanMarker(batch, isObsolete, rules)

  const records: Record[] = []
  let hasTombstone = false
  if (!isObsolete) {
    const isExpired = isPastHorizon(batch, nowMs)
    for (const record of readRecords(batch)) {
      if (!isRetained(record, isExpired, section)) continue
      records.push(record)
      if (record.value === null) hasTombstone = true
    }
  }
  return rewrite(batch, records, hasTombstone, rules)
}

function cleanMarker(batch: Batch, isObsolete: boolean, rules: CleaningRules): CleanedBatch {
  const isGone = isObsolete && isPastHorizon(batch, rules.nowMs)
  return rewrite(batch, isGone ? [] : [...readRecords(batch)], isObsolete, rules)
}

function isPastHorizon({ deleteHorizonMs }: Batch, nowMs: number): boolean {
  return deleteHorizonMs !== null && deleteHorizonMs <= nowMs
}

function isRetained({ key, value, offset }: Record, isExpired: boolean, section: DirtySection): boolean {
  const at = Number(offset)
  if (at >= section.endOffset) return true
  if (key === null || section.isReplaced(key, at)) return false
  return value !== null || !isExpired
}

function rewrite(
  batch: Batch,
  records: readonly Record[],
  isDeletedLater: boolean,
  rules: CleaningRules,
): CleanedBatch {
  if (records.length === 0) {
    if (!isKeptEmpty(batch, rules)) return dropped
    if (batch.recordCount === 0) return kept
    return replaced(batch, { records, baseTimestamp: -1n, maxTimestamp: batch.maxTimestamp })
  }
  const horizon = isDeletedLater ? newHorizon(batch, rules) : null
  if (records.length === batch.recordCount && horizon === null) return kept
  return replaced(batch, { records, deleteHorizonMs: horizon ?? batch.deleteHorizonMs })
}

/** The delete horizon that the batch is to have from now on, null where it has one or gets none. */
function newHorizon(batch: Batch, { section, nowMs, deleteRetentionMs }: CleaningRules): bigint | null {
  if (batch.hasDeleteHorizon) return null
  // Kafka sets it here too. But what a tombstone beyond the section replaces is still there, and its time begins when that goes.
  if (batch.lastOffset >= section.endOffset) return null
  const horizon = BigInt(nowMs) + BigInt(deleteRetentionMs)
  return horizon > int64Max ? null : horizon
}

/** Whether a header stays even without records: it tells of a producer's last sequence or epoch, or of the last offset. */
function isKeptEmpty(batch: Batch, { producers, section }: CleaningRules): boolean {
  const lastOffset = Number(batch.lastOffset)
  if (lastOffset + 1 === section.firstUncleanableOffset) return true
  const producer = batch.hasProducerId ? producers.get(batch.producerId) : undefined
  if (!producer) return false
  const lastBatch = producer.batches.at(-1)
  if (lastBatch) return lastBatch.lastOffset === lastOffset
  return batch.isControl && batch.producerEpoch === producer.epoch
}

type Retained = Pick<BatchDraft, 'records' | 'baseTimestamp' | 'maxTimestamp' | 'deleteHorizonMs'>

function replaced(batch: Batch, retained: Retained): CleanedBatch {
  const bytes = buildBatch({
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset, // and with it the last sequence
    leaderEpoch: batch.partitionLeaderEpoch,
    codec: batch.codec,
    timestampType: batch.timestampType,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    ...retained,
  })
  return { kind: 'replaced', bytes }
}
