import type { Batch } from './batch.ts'
import { readRecords } from './record.ts'

export interface TimestampAndOffset {
  readonly timestamp: bigint
  readonly offset: bigint
}

/**
 * The first record at or after `startOffset` whose timestamp is at or after `target`, or null where the batch has none. A batch
 * whose header rules it out is not opened (FileRecords.searchForTimestamp).
 */
export function firstAtOrAfter(batch: Batch, target: bigint, startOffset = 0n): TimestampAndOffset | null {
  if (batch.maxTimestamp < target || batch.lastOffset < startOffset) return null
  for (const { timestamp, offset } of readRecords(batch)) {
    if (timestamp >= target && offset >= startOffset) return { timestamp, offset }
  }
  return null
}

/**
 * The greatest timestamp of the batch and the first record that has it, or null where none has: compaction may have taken it
 * away (RecordBatch.offsetOfMaxTimestamp).
 */
export function greatestTimestamp(batch: Batch): TimestampAndOffset | null {
  const { maxTimestamp } = batch
  for (const { timestamp, offset } of readRecords(batch)) {
    if (timestamp === maxTimestamp) return { timestamp, offset }
  }
  return null
}
