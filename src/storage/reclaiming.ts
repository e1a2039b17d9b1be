import type { Pace } from './pace.ts'
import { keepAll, rewrite, type Judge } from './rewriting.ts'
import type { Segment } from './segment.ts'
import type { Shard } from './shard.ts'

// So much smaller than a full segment, a neighbour costs little to take along; and so many of them are one file's worth of trouble.
const smallShare = 1 / 4
const smallCountMin = 8

export interface ReclaimOptions {
  /** Segments of which a smaller share of bytes is alive are rewritten. */
  readonly liveRatio: number
  readonly pace: Pace
}

/** What of a segment is alive. */
interface Weight {
  bytes: number
  rows: number
}

/**
 * Rewrites the segments of a shard that hold too little that is alive, and joins small ones. Rejects with the disk's errors. To be run
 * by `Shard.exclusively`.
 */
export async function reclaim(shard: Shard, options: ReclaimOptions): Promise<void> {
  await rewriteGroups(shard, { ...options, isWanted: () => false, judge: keepAll, swapped: () => {} })
}

export interface GroupRewriting extends ReclaimOptions {
  /** Whether a segment is to be rewritten, however much of it is alive. */
  isWanted(segment: Segment): boolean
  readonly judge: Judge
  /** Told when each group is in its place. */
  swapped(): void
}

/** Rewrites segments in the order of their blocks. Resolves to false where it could not go on to the end. */
export async function rewriteGroups(shard: Shard, rewriting: GroupRewriting): Promise<boolean> {
  const { judge, pace, swapped } = rewriting
  for (const group of Array.from(groupsOf(shard, rewriting))) {
    if (shard.isStopping) return false
    // Others have died since, and are gone.
    const sources = group.filter(source => shard.segments.includes(source))
    if (sources.length === 0) continue
    const rewritten = await rewrite({ shard, sources, judge, pace })
    if (!rewritten) return false
    if (!(await shard.swap(rewritten, swapped))) {
      // The shard has failed, and the next start removes what has come in nobody's place.
      const { target } = rewritten
      if (target && !shard.segments.includes(target)) await target.close()
      return false
    }
  }
  return true
}

/** Segments that follow one another, as many as go into one file. */
function* groupsOf(shard: Shard, { liveRatio, isWanted }: GroupRewriting): Generator<Segment[]> {
  const { segmentBytes, segmentEntries } = shard.limits
  const weights = weigh(shard)
  const lengthOf = (segment: Segment): number =>
    segment.size * (weights.get(segment)!.bytes / Math.max(1, segment.batchBytes))
  const isWorthIt = (segment: Segment): boolean =>
    weights.get(segment)!.bytes < liveRatio * segment.batchBytes || isWanted(segment)
  const isSmall = (segment: Segment): boolean => segment.size < smallShare * segmentBytes

  let group: Segment[] = []
  let length = 0
  let rows = 0
  const isGroup = (): boolean => group.length >= smallCountMin || group.some(isWorthIt)
  for (const segment of shard.segments) {
    const isMovable = shard.isSettled(segment) && !segment.isUnsound && weights.has(segment)
    const isTaken = isMovable && (isWorthIt(segment) || isSmall(segment))
    const isFitting =
      isTaken &&
      length + lengthOf(segment) <= segmentBytes &&
      rows + weights.get(segment)!.rows <= segmentEntries
    if (!isFitting) {
      if (isGroup()) yield group
      group = []
      length = rows = 0
    }
    if (!isTaken) continue
    group.push(segment)
    length += lengthOf(segment)
    rows += weights.get(segment)!.rows
  }
  if (isGroup()) yield group
}

function weigh(shard: Shard): Map<Segment, Weight> {
  const weights = new Map<Segment, Weight>()
  for (const state of shard.states()) {
    for (const run of state.runs) {
      const { segment } = run
      let weight = weights.get(segment)
      if (!weight) weights.set(segment, (weight = { bytes: 0, rows: 0 }))
      weight.bytes += state.liveBytes(run)
      weight.rows += run.rowCount
    }
  }
  return weights
}
