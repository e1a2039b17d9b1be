import type { VirtualSegment } from './compaction/cleanable.ts'
import type { LogSettings } from './log-settings.ts'

export interface RetainedLog {
  /** All segments from the log start on, in offset order; the last one is active. */
  readonly segments: readonly VirtualSegment[]
  readonly endOffset: number
  readonly highWatermark: number
}

/**
 * Where the log is to start by `retention.bytes` and `retention.ms`; undefined where nothing is to go. By whole segments
 * (UnifiedLog.deleteOldSegments): first the oldest without which the log is still not smaller than it may be, then those whose newest
 * record is too old. Kafka spares the active one only while it is young enough, and what is not below the high watermark.
 */
export function retainedFrom(log: RetainedLog, settings: LogSettings, nowMs: number): number | undefined {
  if (!settings.isDeleted) return undefined
  const { segments, endOffset, highWatermark } = log
  const { retentionBytes, retentionMs } = settings
  const endOf = (index: number): number => segments[index + 1]?.baseOffset ?? endOffset
  const isDeletable = (index: number): boolean =>
    index < segments.length &&
    endOf(index) <= highWatermark &&
    (index < segments.length - 1 || segments[index]!.sizeInBytes > 0)

  let deleted = 0
  if (retentionBytes >= 0) {
    const size = segments.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
    let excess = size - retentionBytes
    for (; isDeletable(deleted) && excess >= segments[deleted]!.sizeInBytes; deleted++)
      excess -= segments[deleted]!.sizeInBytes
  }
  if (retentionMs >= 0) {
    const isExpired = (index: number): boolean => nowMs - segments[index]!.maxTimestamp > retentionMs
    while (isDeletable(deleted) && isExpired(deleted)) deleted++
  }
  return deleted === 0 ? undefined : endOf(deleted - 1)
}
