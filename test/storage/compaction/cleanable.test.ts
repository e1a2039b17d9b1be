import { expect, test } from 'vitest'
import {
  cleanable,
  type CompactedLog,
  type VirtualSegment,
} from '../../../src/storage/compaction/cleanable.ts'

const never = Number.MAX_SAFE_INTEGER
const settings = { minCleanableDirtyRatio: 0.5, minCompactionLagMs: 0, maxCompactionLagMs: never }

/** A hundred offsets and bytes each, written at 1000, 2000 and so on. */
function segmentsOf(count: number, firstOffset = 0): VirtualSegment[] {
  return Array.from({ length: count }, (_, index) => ({
    baseOffset: firstOffset + index * 100,
    sizeInBytes: 100,
    firstTimestamp: 1000 * (index + 1),
    maxTimestamp: 1000 * (index + 1) + 500,
  }))
}

function logOf(count: number, log: Partial<CompactedLog> = {}): CompactedLog {
  const end = count * 100
  return { segments: segmentsOf(count), logStartOffset: 0, logEndOffset: end, lastStableOffset: end, ...log }
}

test('all but the active segment of a log that was never cleaned is dirty', () => {
  expect(cleanable(logOf(4), settings, 9000)).toEqual({
    firstDirtyOffset: 0,
    firstUncleanableOffset: 300,
    cleanBytes: 0,
    cleanableBytes: 300,
    ratio: 1,
    mustClean: false,
    isDue: true,
  })
})

test('a log of one segment is never due', () => {
  const due = { ...settings, minCleanableDirtyRatio: 0, maxCompactionLagMs: 1 }
  expect(cleanable(logOf(1), due, 9000)).toMatchObject({ cleanableBytes: 0, ratio: 0, isDue: false })
})

test('the ratio must be above the smallest one, not at it', () => {
  const log = logOf(5, { cleanedOffset: 200 })
  expect(cleanable(log, settings, 9000)).toMatchObject({ cleanBytes: 200, cleanableBytes: 200, ratio: 0.5 })
  expect(cleanable(log, settings, 9000).isDue).toBe(false)
  expect(cleanable(log, { ...settings, minCleanableDirtyRatio: 0.49 }, 9000).isDue).toBe(true)
  expect(cleanable(logOf(5, { cleanedOffset: 100 }), settings, 9000)).toMatchObject({
    ratio: 0.75,
    isDue: true,
  })
})

test('nothing is dirty where the last cleaning ended in the active segment', () => {
  const due = { ...settings, minCleanableDirtyRatio: 0 }
  expect(cleanable(logOf(3, { cleanedOffset: 200 }), due, 9000).isDue).toBe(false)
  expect(cleanable(logOf(3, { cleanedOffset: 250 }), due, 9000)).toMatchObject({
    cleanableBytes: 0,
    isDue: false,
  })
})

test('a last cleaning that ended before the log start begins there anew', () => {
  const log = logOf(4, {
    segments: segmentsOf(4, 1000),
    logStartOffset: 1050,
    logEndOffset: 1400,
    cleanedOffset: 20,
  })
  const found = cleanable({ ...log, lastStableOffset: 1400 }, settings, 9000)
  expect(found).toMatchObject({ firstDirtyOffset: 1050, firstUncleanableOffset: 1300, cleanableBytes: 300 })
})

test('a last cleaning that ended behind the log end says nothing', () => {
  expect(cleanable(logOf(4, { cleanedOffset: 401 }), settings, 9000).firstDirtyOffset).toBe(0)
})

test('the segment that holds the last stable offset is not cleaned, nor any behind it', () => {
  const found = cleanable(logOf(5, { lastStableOffset: 250 }), settings, 9000)
  expect(found).toMatchObject({ firstUncleanableOffset: 200, cleanableBytes: 200 })
})

test('min.compaction.lag.ms spares everything from the first segment on with a timestamp within it', () => {
  const lagging = { ...settings, minCompactionLagMs: 5000 }
  const bounds = [7501, 8499, 8500].map(now => cleanable(logOf(5), lagging, now).firstUncleanableOffset)
  expect(bounds).toEqual([200, 200, 300])
  const late = segmentsOf(5).map((each, index) => (index === 1 ? { ...each, maxTimestamp: 9000 } : each))
  expect(cleanable(logOf(5, { segments: late }), lagging, 9000)).toMatchObject({
    firstUncleanableOffset: 100,
    cleanableBytes: 100,
  })
})

test('max.compaction.lag.ms makes a log due that is not dirty enough', () => {
  const lagging = { ...settings, minCleanableDirtyRatio: 1, maxCompactionLagMs: 5000 }
  const log = logOf(5, { cleanedOffset: 300 })
  expect(cleanable(log, lagging, 9000)).toMatchObject({ mustClean: false, isDue: false })
  expect(cleanable(log, lagging, 9001)).toMatchObject({ mustClean: true, isDue: true })
})

test('what has waited too long and may not be cleaned is not due', () => {
  const lagging = { ...settings, minCleanableDirtyRatio: 1, maxCompactionLagMs: 1 }
  expect(cleanable(logOf(5, { lastStableOffset: 50 }), lagging, 99_000)).toMatchObject({
    mustClean: false,
    isDue: false,
  })
})

test('a segment that begins without a timestamp has not waited', () => {
  const lagging = { ...settings, minCleanableDirtyRatio: 1, maxCompactionLagMs: 1 }
  const segments = segmentsOf(3).map(each => ({ ...each, firstTimestamp: -1 }))
  expect(cleanable(logOf(3, { segments }), lagging, 99_000).mustClean).toBe(false)
})
