import { expect, test } from 'vitest'
import { defaultLogSettings, type LogSettings } from '../../src/storage/log-settings.ts'
import { retainedFrom } from '../../src/storage/retention.ts'
import { VirtualSegments } from '../../src/storage/virtual-segments.ts'

/** Entries of ten offsets: length, then timestamp and time of arrival. */
function cut(
  entries: readonly (readonly [length: number, timestamp: number, nowMs?: number])[],
  settings: Partial<LogSettings>,
  partition = 1,
): VirtualSegments {
  const segments = new VirtualSegments(partition)
  for (const [index, [length, maxTimestamp, nowMs = 0]] of entries.entries()) {
    const entry = { baseOffset: index * 10, nextOffset: index * 10 + 10, length, maxTimestamp }
    segments.add(entry, { ...defaultLogSettings, ...settings }, nowMs)
  }
  return segments
}

function starts(segments: VirtualSegments): number[] {
  return segments.list().map(({ baseOffset }) => baseOffset)
}

test('begins a segment where the next batch would make it larger than segment.bytes', () => {
  const same = Array.from({ length: 6 }, () => [100, 1] as const)
  expect(starts(cut(same, { segmentBytes: 200 }))).toEqual([0, 20, 40])
  expect(starts(cut(same, { segmentBytes: 199 }))).toEqual([0, 10, 20, 30, 40, 50])
  expect(starts(cut([[500, 1], ...same], { segmentBytes: 200 }))).toEqual([0, 10, 30, 50])
})

test('begins a segment once a batch is later than the first one by more than segment.ms, by their own times', () => {
  const entries = [1000, 1500, 2000, 2001, 900, 3001, 3002].map(timestamp => [10, timestamp] as const)
  expect(starts(cut(entries, { segmentMs: 1000 }))).toEqual([0, 30, 60])
})

test('takes what a cleaning has taken from the segment that it was in, whichever of its offsets that was', () => {
  const segments = cut(
    Array.from({ length: 12 }, () => [100, 1] as const),
    { segmentBytes: 300 },
  )
  for (const offset of [0, 10, 29, 60, 119]) segments.shrink(offset, 10)
  expect(segments.list().map(({ sizeInBytes }) => sizeInBytes)).toEqual([270, 300, 290, 290])
})

test('begins a segment after max.compaction.lag.ms where the log is compacted and segment.ms is longer', () => {
  const entries = [1000, 1500, 2000, 2001, 900, 3001, 3002].map(timestamp => [10, timestamp] as const)
  const isCompacted = true
  expect(starts(cut(entries, { isCompacted, maxCompactionLagMs: 1000 }))).toEqual([0, 30, 60])
  expect(starts(cut(entries, { isCompacted, maxCompactionLagMs: 3000, segmentMs: 1000 }))).toEqual([
    0, 30, 60,
  ])
  expect(starts(cut(entries, { maxCompactionLagMs: 1000 }))).toEqual([0])
})

test('goes by the clock where batches have no time', () => {
  const entries = [5, 900, 1005, 1006].map(nowMs => [10, -1, nowMs] as const)
  const segments = cut(entries, { segmentMs: 1000 })
  expect(starts(segments)).toEqual([0, 30])
  expect(segments.list().map(({ maxTimestamp }) => maxTimestamp)).toEqual([1005, 1006])
})

test('ends segments of different partitions at different times by segment.jitter.ms, and always at the same', () => {
  const entries = Array.from({ length: 300 }, (_, index) => [10, index * 10] as const)
  const settings = { segmentMs: 1000, segmentJitterMs: 500 }
  const of = (partition: number): number[] => starts(cut(entries, settings, partition))
  expect(of(1)).toEqual(of(1))
  const lengths = [1, 2, 3, 4, 5, 6, 7, 8].map(partition => of(partition)[1]! / 10)
  expect(new Set(lengths).size).toBeGreaterThan(4)
  for (const length of lengths) {
    expect(length).toBeGreaterThan(50)
    expect(length).toBeLessThanOrEqual(102)
  }
})

test('keeps what a checkpoint keeps', () => {
  const segments = cut(
    [
      [100, 5],
      [100, 7],
      [100, 6],
    ].map(each => [each[0]!, each[1]!] as const),
    { segmentBytes: 200 },
  )
  const again = new VirtualSegments(1)
  again.restore(segments.bookmarks, segments.endOffset)
  expect(again.list()).toEqual(segments.list())
  expect(again.list()).toEqual([
    { baseOffset: 0, sizeInBytes: 200, firstTimestamp: 5, maxTimestamp: 7 },
    { baseOffset: 20, sizeInBytes: 100, firstTimestamp: 6, maxTimestamp: 6 },
  ])
})

test('forgets segments before the log start, and has an empty one when all are gone', () => {
  const segments = cut(
    Array.from({ length: 4 }, () => [100, 1] as const),
    { segmentBytes: 100 },
  )
  segments.trim(15)
  expect(starts(segments)).toEqual([10, 20, 30])
  segments.trim(40)
  expect(segments.list()).toEqual([{ baseOffset: 40, sizeInBytes: 0, firstTimestamp: -1, maxTimestamp: -1 }])
})

test('joins segments that compaction has made small, and leaves those behind', () => {
  const segments = cut(
    Array.from({ length: 6 }, () => [100, 1] as const),
    { segmentBytes: 100 },
  )
  for (const offset of [0, 10, 20, 30]) segments.shrink(offset, 60)
  segments.join(40, 100)
  expect(segments.list().map(({ baseOffset, sizeInBytes }) => [baseOffset, sizeInBytes])).toEqual([
    [0, 80],
    [20, 80],
    [40, 100],
    [50, 100],
  ])
})

const now = 1_000_000

/** Segments of ten offsets: size, and age of the newest record. */
function retained(
  segments: readonly (readonly [size: number, ageMs: number])[],
  settings: Partial<LogSettings>,
  highWatermark = segments.length * 10,
): number | undefined {
  const log = {
    segments: segments.map(([sizeInBytes, ageMs], index) => ({
      baseOffset: index * 10,
      sizeInBytes,
      firstTimestamp: now - ageMs,
      maxTimestamp: now - ageMs,
    })),
    endOffset: segments.length * 10,
    highWatermark,
  }
  return retainedFrom(log, { ...defaultLogSettings, retentionMs: -1, ...settings }, now)
}

test('deletes the oldest segments without which the log is still as large as retention.bytes', () => {
  const log = [100, 100, 100, 50].map(size => [size, 0] as const)
  expect(retained(log, { retentionBytes: -1 })).toBeUndefined()
  expect(retained(log, { retentionBytes: 350 })).toBeUndefined()
  expect(retained(log, { retentionBytes: 251 })).toBeUndefined()
  expect(retained(log, { retentionBytes: 250 })).toBe(10)
  expect(retained(log, { retentionBytes: 51 })).toBe(20)
  expect(retained(log, { retentionBytes: 50 })).toBe(30)
  expect(retained(log, { retentionBytes: 0 })).toBe(40)
})

test('deletes segments whose newest record is older than retention.ms, the active one too', () => {
  const log = [50, 40, 30, 20].map(ageMs => [1, ageMs] as const)
  expect(retained(log, { retentionMs: 50 })).toBeUndefined()
  expect(retained(log, { retentionMs: 49 })).toBe(10)
  expect(retained(log, { retentionMs: 25 })).toBe(30)
  expect(retained(log, { retentionMs: 0 })).toBe(40)
  // The first one to stay keeps those behind it.
  expect(
    retained(
      [
        [1, 10],
        [1, 90],
      ] as const,
      { retentionMs: 50 },
    ),
  ).toBeUndefined()
})

test('deletes nothing that is not below the high watermark, and nothing of what is only compacted', () => {
  const log = [90, 80, 70].map(ageMs => [1, ageMs] as const)
  expect(retained(log, { retentionMs: 1 }, 19)).toBe(10)
  expect(retained(log, { retentionMs: 1, isDeleted: false, isCompacted: true })).toBeUndefined()
  expect(retained(log, { retentionMs: 1, isDeleted: true, isCompacted: true })).toBe(30)
})

test('deletes by size first, and of what is left by time', () => {
  const log = [
    [100, 10],
    [100, 90],
    [100, 90],
    [100, 5],
  ] as const
  expect(retained(log, { retentionBytes: 300, retentionMs: 50 })).toBe(30)
})
