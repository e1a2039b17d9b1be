/** A partition's virtual segment as compaction sees it. Timestamps are in milliseconds since 1970. */
export interface VirtualSegment {
  readonly baseOffset: number
  readonly sizeInBytes: number
  /** Of its first batch (the batch's greatest); 0 or less for none. */
  readonly firstTimestamp: number
  /** The greatest; where no record has any, the time of the last write. */
  readonly maxTimestamp: number
}

export interface CompactedLog {
  /** All segments from the log start on, in offset order; the last one is active. At least one. */
  readonly segments: readonly VirtualSegment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Everything below is decided and on disk. */
  readonly lastStableOffset: number
  /** Where the last cleaning ended, if there was one. */
  readonly cleanedOffset?: number | undefined
}

/** The topic's settings, by their own names. */
export interface CompactionSettings {
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
}

/** What a cleaning could do now, and whether it is time. */
export interface Cleanable {
  readonly firstDirtyOffset: number
  /** Where the first segment begins that must not be cleaned yet. */
  readonly firstUncleanableOffset: number
  readonly cleanBytes: number
  readonly cleanableBytes: number
  /** The cleanable share of the bytes that a cleaning would read: where several logs are due, the greatest goes first. */
  readonly ratio: number
  /** Something that may be cleaned has waited for longer than `max.compaction.lag.ms`. */
  readonly mustClean: boolean
  /** It is time: `mustClean`, or the ratio is above `min.cleanable.dirty.ratio`. */
  readonly isDue: boolean
}

/**
 * Judges by whole segments, as LogCleanerManager.cleanableOffsets, calculateCleanableBytes and maxCompactionDelay do. Not
 * cleaned are the active segment, what is at or behind the last stable offset, and everything from the first segment on that has a
 * timestamp younger than `min.compaction.lag.ms`.
 */
export function cleanable(log: CompactedLog, settings: CompactionSettings, nowMs: number): Cleanable {
  const { segments } = log
  const active = segments.at(-1)!
  const firstDirtyOffset = dirtyFrom(log)
  const dirty = segments.slice(segmentOf(segments, firstDirtyOffset), -1)

  const lagMs = Math.max(0, settings.minCompactionLagMs)
  const young = lagMs > 0 ? dirty.find(segment => segment.maxTimestamp > nowMs - lagMs) : undefined
  const limit = Math.min(log.lastStableOffset, active.baseOffset, young?.baseOffset ?? Infinity)
  const limitSegment = segments[segmentOf(segments, Math.max(firstDirtyOffset, limit))]!
  const firstUncleanableOffset = limitSegment.baseOffset

  const cleanBytes = sizeOf(segments.filter(segment => segment.baseOffset < firstDirtyOffset))
  const cleanableBytes = sizeOf(dirty.filter(segment => segment.baseOffset < firstUncleanableOffset))
  const totalBytes = cleanBytes + cleanableBytes
  const ratio = totalBytes === 0 ? 0 : cleanableBytes / totalBytes

  const overdue = nowMs - Math.max(0, settings.maxCompactionLagMs)
  const hasWaited = dirty.some(({ firstTimestamp }) => firstTimestamp > 0 && firstTimestamp < overdue)
  const mustClean = hasWaited && cleanableBytes > 0
  const isDue = mustClean || ratio > settings.minCleanableDirtyRatio
  return { firstDirtyOffset, firstUncleanableOffset, cleanBytes, cleanableBytes, ratio, mustClean, isDue }
}

/** A place that the log no longer has, before its start or behind its end, says nothing: then all of it is dirty. */
function dirtyFrom({ cleanedOffset, logStartOffset, logEndOffset }: CompactedLog): number {
  if (cleanedOffset === undefined || cleanedOffset > logEndOffset) return logStartOffset
  return Math.max(cleanedOffset, logStartOffset)
}

/** The index of the last segment that begins at or before `offset`; the first where none does. */
function segmentOf(segments: readonly VirtualSegment[], offset: number): number {
  return Math.max(
    0,
    segments.findLastIndex(segment => segment.baseOffset <= offset),
  )
}

function sizeOf(segments: readonly VirtualSegment[]): number {
  return segments.reduce((sum, segment) => sum + segment.sizeInBytes, 0)
}
