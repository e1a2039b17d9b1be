import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Logger } from '../base/logger.ts'
import { withLine, writeManifest, type CompactedPartition, type Manifest } from './manifest.ts'
import type { PartitionState } from './partition-state.ts'
import type { Run } from './run.ts'
import type { Segment } from './segment.ts'
import type { Lsns } from './shard.ts'
import type { SpareFiles } from './spare-files.ts'
import type { Tail } from './walk.ts'

export interface SegmentListOptions {
  readonly shard: number
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly lsns: Lsns
  readonly spares: SpareFiles
  /** What the manifest's file is called. */
  readonly manifestName: string
  readonly segments: Segment[]
  readonly manifest: Manifest
}

/** Segments that were rewritten, and what there is instead. */
export interface Rewritten {
  /** They follow one another. */
  readonly sources: readonly Segment[]
  /** Undefined where nothing was kept. */
  readonly target: Segment | undefined
  /** Where the blocks of the sources ended. */
  readonly tail: Tail
  /** What was kept of each partition. */
  readonly runs: ReadonlyMap<number, Run>
}

export interface Swap {
  states(): Iterable<PartitionState>
  readonly compacted: readonly CompactedPartition[]
  /** Told in the same turn as readers begin to see the new file. */
  swapped(): void
}

/** A shard's segments, of which the dead are removed and others replaced; the manifest tells a restart which count. */
export class SegmentList {
  /** Oldest first; the last is the one that blocks are added to. */
  readonly all: Segment[]
  readonly #options: SegmentListOptions
  #manifest: Manifest
  #generationNext: number
  #generationSwapped: number

  constructor(options: SegmentListOptions) {
    this.all = options.segments
    this.#options = options
    this.#manifest = options.manifest
    this.#generationNext = this.#generationSwapped = options.manifest.generationNext
  }

  /** Segments of this generation and later ones are in nobody's place yet. */
  get generationSwapped(): number {
    return this.#generationSwapped
  }

  /** A generation that no file has or had. */
  takeGeneration(): number {
    return this.#generationNext++
  }

  /**
   * Removes the segments in which nothing is alive, if their ends are found again without them: they have a footer and no block above
   * `checkpointed`. Returns when the next one may go that has to wait, in milliseconds of the monotonic clock; Infinity where none has.
   */
  async removeDead(checkpointed: number): Promise<number> {
    const nowMs = this.#options.clock.monotonic()
    const isDead = (segment: Segment): boolean =>
      segment.isClosed &&
      segment.liveRuns === 0 &&
      segment.lastBlock <= checkpointed &&
      !segment.isBeingRewritten
    const dead = this.all.filter(isDead)
    const due = dead.filter(({ keptUntilMs }) => keptUntilMs <= nowMs)
    // Before anything is awaited: from now on nobody may begin to rewrite them.
    for (const segment of due) this.#takeOut(segment)
    let { lines } = this.#manifest
    for (const { tail } of due)
      if (tail) lines = withLine(lines, { generation: 0, tail }, firstBlocksOf(this.all))
    try {
      if (due.length > 0 && lines.length > 0) await this.#write({ lines, horizonLsn: this.#lsnNow })
    } catch (error) {
      // They are there as before, for whoever closes them.
      this.all.splice(0, Infinity, ...[...this.all, ...due].sort((a, b) => a.firstBlock - b.firstBlock))
      throw error
    }
    for (const segment of due) await this.#delete(segment)
    const waiting = dead.filter(segment => !due.includes(segment))
    return Math.min(Infinity, ...waiting.map(({ keptUntilMs }) => keptUntilMs))
  }

  /** Puts what was kept of rewritten segments in their place: first on disk, then for readers, all at once. */
  async swap(
    { sources, target, tail, runs }: Rewritten,
    { states, compacted, swapped }: Swap,
  ): Promise<void> {
    const others = this.all.filter(segment => !sources.includes(segment))
    const line = { generation: target?.generation ?? 0, tail }
    const lines = withLine(this.#manifest.lines, line, firstBlocksOf(others))
    // Also where nothing was kept, and no file says that something has changed.
    const generation = this.takeGeneration() + 1
    await this.#write({ lines, compacted, horizonLsn: this.#lsnNow })
    const at = this.all.indexOf(sources[0]!)
    for (const source of sources) this.#takeOut(source)
    if (target) {
      this.all.splice(at, 0, target)
      target.tail = tail
      target.liveRuns = 0
    }
    for (const state of states()) state.replaceRuns(sources, runs.get(state.partition))
    this.#generationSwapped = generation
    swapped()
    for (const source of sources) await this.#delete(source)
  }

  /** Notes how far partitions were compacted. */
  async noteCompacted(compacted: readonly CompactedPartition[]): Promise<void> {
    await this.#write({ compacted })
  }

  get #lsnNow(): number {
    return this.#options.lsns.next - 1
  }

  async #write(changes: Partial<Manifest>): Promise<void> {
    const { disk, manifestName } = this.#options
    this.#manifest = { ...this.#manifest, ...changes, generationNext: this.#generationNext }
    await disk.replace(manifestName, writeManifest(this.#manifest))
  }

  #takeOut(segment: Segment): void {
    const at = this.all.indexOf(segment)
    assert(at >= 0, () => `${segment.logName} taken out of a list that does not have it`)
    this.all.splice(at, 1)
  }

  async #delete(segment: Segment): Promise<void> {
    const { logger, shard, spares } = this.#options
    // What cannot be removed takes space and does no other harm; the next start tries again.
    await segment.remove(spares).catch((error: unknown) => {
      logger.error({ shard, segment: segment.logName, error }, 'a dead segment cannot be removed')
    })
  }
}

function firstBlocksOf(segments: readonly Segment[]): number[] {
  return segments.map(({ firstBlock }) => firstBlock)
}
