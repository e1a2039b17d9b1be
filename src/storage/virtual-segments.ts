import type { VirtualSegment } from './compaction/cleanable.ts'
import type { LogSettings } from './log-settings.ts'

/** What a cut is judged by, of one entry. */
export interface SegmentEntry {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly length: number
  readonly maxTimestamp: number
}

/** A segment as Kafka would have it in a file of its own. Times in milliseconds since 1970. */
interface Segment {
  baseOffset: number
  sizeInBytes: number
  firstTimestamp: number
  /** The greatest of its records; below 0 where none has a time. */
  greatestTimestamp: number
  /** When it was begun, and when it was last written to. */
  createdMs: number
  lastWriteMs: number
}

/** A segment as a checkpoint keeps it. */
export type SegmentBookmark = Readonly<Segment>

/**
 * Where a partition's log would be cut into segment files if it had any of its own: what retention and the cleaner go by. Only
 * offsets are kept here; shard files are cut by sizes of their own.
 */
export class VirtualSegments {
  readonly #partition: number
  #segments: Segment[] = []
  /** Everything below is in segments. */
  #endOffset = 0

  constructor(partition: number) {
    this.#partition = partition
  }

  /** Where the next entry has to begin that `add` has not seen. */
  get endOffset(): number {
    return this.#endOffset
  }

  /** Those that have been begun and not ended before the log start; the last one is active. */
  get bookmarks(): readonly SegmentBookmark[] {
    return this.#segments
  }

  restore(bookmarks: readonly SegmentBookmark[], endOffset: number): void {
    this.#segments = bookmarks.map(each => ({ ...each }))
    this.#endOffset = endOffset
  }

  /** For retention and the cleaner; the last one is active, and may have nothing in it. At least one. */
  list(): VirtualSegment[] {
    if (this.#segments.length === 0) return [emptySegment(this.#endOffset)]
    return this.#segments.map(({ baseOffset, sizeInBytes, firstTimestamp, ...times }) => ({
      baseOffset,
      sizeInBytes,
      firstTimestamp,
      maxTimestamp: times.greatestTimestamp >= 0 ? times.greatestTimestamp : times.lastWriteMs,
    }))
  }

  /** Takes in the next entry, in a new segment where Kafka would roll (LogSegment.shouldRoll, timeWaitedForRoll). */
  add(entry: SegmentEntry, settings: LogSettings, nowMs: number): void {
    let active = this.#segments.at(-1)
    if (!active || this.#isEnding(active, entry, settings, nowMs)) {
      active = {
        baseOffset: entry.baseOffset,
        sizeInBytes: 0,
        firstTimestamp: entry.maxTimestamp,
        greatestTimestamp: entry.maxTimestamp,
        createdMs: nowMs,
        lastWriteMs: nowMs,
      }
      this.#segments.push(active)
    }
    if (active.sizeInBytes === 0) {
      active.firstTimestamp = entry.maxTimestamp
      active.createdMs = nowMs
    }
    active.sizeInBytes += entry.length
    active.greatestTimestamp = Math.max(active.greatestTimestamp, entry.maxTimestamp)
    active.lastWriteMs = nowMs
    this.#endOffset = entry.nextOffset
  }

  #isEnding(active: Segment, entry: SegmentEntry, settings: LogSettings, nowMs: number): boolean {
    if (active.sizeInBytes === 0) return false
    if (active.sizeInBytes > settings.segmentBytes - entry.length) return true
    const { firstTimestamp, createdMs } = active
    const waitedMs = firstTimestamp >= 0 ? entry.maxTimestamp - firstTimestamp : nowMs - createdMs
    return waitedMs > segmentMsMax(settings) - this.#jitterMs(active, settings)
  }

  /** Not drawn, as Kafka does, but worked out, so that a restart cuts where it was cut. */
  #jitterMs({ baseOffset }: Segment, { segmentMs, segmentJitterMs }: LogSettings): number {
    const limit = Math.min(segmentMs, segmentJitterMs)
    if (limit === 0) return 0
    const mixed = Math.imul((this.#partition + 1) ^ Math.imul(baseOffset | 0, 0x9e3779b1), 0x85ebca6b)
    return Math.floor(((mixed >>> 0) / 2 ** 32) * limit)
  }

  /** Ends the active segment, if it has anything: the next entry begins another. */
  roll(): void {
    const active = this.#segments.at(-1)
    if (active && active.sizeInBytes > 0) this.#segments.push(emptyAt(this.#endOffset))
  }

  /** Forgets the segments that end at or before the log's new start. */
  trim(logStart: number): void {
    this.#endOffset = Math.max(this.#endOffset, logStart)
    const endOf = (index: number): number => this.#segments[index + 1]?.baseOffset ?? this.#endOffset
    let dead = 0
    while (dead < this.#segments.length && endOf(dead) <= logStart) dead++
    this.#segments.splice(0, dead)
  }

  /** `length` bytes less are left of the entry at `offset`. */
  shrink(offset: number, length: number): void {
    const segment = this.#at(offset)
    if (segment) segment.sizeInBytes = Math.max(0, segment.sizeInBytes - length)
  }

  /** The segment that an offset is in. A cleaning asks for each batch that it takes, and there may be thousands of segments. */
  #at(offset: number): Segment | undefined {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#segments[middle]!.baseOffset > offset) high = middle
      else low = middle + 1
    }
    return this.#segments[low - 1]
  }

  /** Weighs and dates all of them anew: `entries` is what is left, in offset order. */
  weigh(entries: Iterable<Pick<SegmentEntry, 'baseOffset' | 'length' | 'maxTimestamp'>>): void {
    for (const segment of this.#segments) {
      segment.sizeInBytes = 0
      segment.greatestTimestamp = -1
    }
    let index = 0
    for (const { baseOffset, length, maxTimestamp } of entries) {
      if (baseOffset >= this.#endOffset) return
      while (this.#segments[index + 1] && this.#segments[index + 1]!.baseOffset <= baseOffset) index++
      const segment = this.#segments[index]
      if (!segment || segment.baseOffset > baseOffset) continue
      segment.sizeInBytes += length
      segment.greatestTimestamp = Math.max(segment.greatestTimestamp, maxTimestamp)
    }
  }

  /** Dates the segments below `endOffset` by the greatest timestamps that a cleaning has left, by where each begins. */
  date(endOffset: number, timestamps: ReadonlyMap<number, number>): void {
    for (const [index, segment] of this.#segments.entries()) {
      if ((this.#segments[index + 1]?.baseOffset ?? Infinity) > endOffset) return
      segment.greatestTimestamp = timestamps.get(segment.baseOffset) ?? -1
    }
  }

  /** Joins cleaned segments below `endOffset` while they fit into one (Cleaner.groupSegmentsBySize). */
  join(endOffset: number, segmentBytes: number): void {
    const joined: Segment[] = []
    for (const [index, segment] of this.#segments.entries()) {
      const before = joined.at(-1)
      const end = this.#segments[index + 1]?.baseOffset ?? Infinity
      const isJoined = before && end <= endOffset && before.sizeInBytes + segment.sizeInBytes <= segmentBytes
      if (!isJoined) {
        joined.push(segment)
        continue
      }
      before.sizeInBytes += segment.sizeInBytes
      before.greatestTimestamp = Math.max(before.greatestTimestamp, segment.greatestTimestamp)
      before.lastWriteMs = Math.max(before.lastWriteMs, segment.lastWriteMs)
    }
    this.#segments = joined
  }
}

/** What a compacted log has is to be cleaned in time, and an active segment never is (LogConfig.maxSegmentMs). */
function segmentMsMax({ isCompacted, segmentMs, maxCompactionLagMs }: LogSettings): number {
  return isCompacted ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs
}

function emptyAt(baseOffset: number): Segment {
  return {
    baseOffset,
    sizeInBytes: 0,
    firstTimestamp: -1,
    greatestTimestamp: -1,
    createdMs: 0,
    lastWriteMs: 0,
  }
}

function emptySegment(baseOffset: number): VirtualSegment {
  return { baseOffset, sizeInBytes: 0, firstTimestamp: -1, maxTimestamp: -1 }
}
