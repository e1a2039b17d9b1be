/** What a partition's log goes by; times in milliseconds, sizes in bytes, by the names of the topic's settings. */
export interface LogSettings {
  /** `cleanup.policy` has `delete`. */
  readonly isDeleted: boolean
  /** `cleanup.policy` has `compact`. */
  readonly isCompacted: boolean
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  /** -1 for without end. */
  readonly retentionMs: number
  /** -1 for without end. */
  readonly retentionBytes: number
  readonly fileDeleteDelayMs: number
  readonly deleteRetentionMs: number
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
}

/** Kafka's defaults (LogConfig). */
export const defaultLogSettings: LogSettings = {
  isDeleted: true,
  isCompacted: false,
  segmentBytes: 1024 ** 3,
  segmentMs: 7 * 24 * 3_600_000,
  segmentJitterMs: 0,
  retentionMs: 7 * 24 * 3_600_000,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  deleteRetentionMs: 24 * 3_600_000,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Infinity,
}
