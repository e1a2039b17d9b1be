import type { RowView } from '../row.ts'
import { deadFrom, isThereAt, type PartitionHistory } from './partition-life.ts'
import type { ShardAtRest } from './shard-at-rest.ts'

/** Offsets of a partition that were in blocks which are no longer there. */
export interface Hole {
  readonly partition: number
  readonly fromOffset: number
  /** The offset after the hole; Infinity where nothing tells how much there was. */
  readonly toOffset: number
  /** The entries had LSNs above this one. */
  readonly afterLsn: number
}

interface Gap {
  readonly afterLsn: number
  readonly untilLsn: number
}

interface End {
  readonly nextOffset: number
  /** How many gaps there were before the partition's last entry. */
  readonly gapCount: number
}

/** Finds what a shard's missing blocks held, from the offsets on either side of them. Told of everything in order. */
export class HoleFinder {
  readonly #gaps: Gap[] = []
  readonly #ends = new Map<number, End>()
  readonly #holes: Hole[] = []

  /** Blocks are missing whose entries had LSNs between these, both excluded. */
  addGap(afterLsn: number, beforeLsn: number): void {
    this.#gaps.push({ afterLsn, untilLsn: beforeLsn - 1 })
  }

  /** An entry that is there. */
  addEntry({ partition, baseOffset, nextOffset }: RowView): void {
    const { nextOffset: fromOffset, gapCount } = this.#endOf(partition)
    if (baseOffset > fromOffset && gapCount < this.#gaps.length) {
      const { afterLsn } = this.#gaps[gapCount]!
      this.#holes.push({ partition, fromOffset, toOffset: baseOffset, afterLsn })
    }
    this.#ends.set(partition, { nextOffset, gapCount: this.#gaps.length })
  }

  #endOf(partition: number): End {
    return this.#ends.get(partition) ?? { nextOffset: 0, gapCount: 0 }
  }

  /**
   * All holes, once everything was told. The checkpoint says where partitions end that have no entry behind the last gap; what was
   * compacted has holes by itself.
   */
  finish({ id, checkpoint, manifest }: ShardAtRest, history: PartitionHistory): Hole[] {
    const ends = new Map(checkpoint?.states.map(({ partition, nextOffset }) => [partition, nextOffset]))
    const compacted = new Map(manifest.compacted.map(each => [each.partition, each.compactedOffset]))
    for (const { partition, createdLsn, deletedLsn, shard } of history.lives()) {
      const { nextOffset: fromOffset, gapCount } = this.#endOf(partition)
      const gap = this.#gaps.slice(gapCount).find(gap => gap.untilLsn > createdLsn)
      if (!gap || shard !== id) continue
      const toOffset = deletedLsn < Infinity ? Infinity : (ends.get(partition) ?? 0)
      if (toOffset > fromOffset) this.#holes.push({ partition, fromOffset, toOffset, afterLsn: gap.afterLsn })
    }
    return this.#holes.filter(({ partition, toOffset }) => toOffset > (compacted.get(partition) ?? 0))
  }
}

/** Whether something in the hole was alive when everything up to `lsn` had happened. */
export function wasAlive(hole: Hole, history: PartitionHistory, lsn: number): boolean {
  const life = history.life(hole.partition)
  if (!life || lsn <= hole.afterLsn || !isThereAt(life, lsn)) return false
  return lsn < missedUntil(hole, history)
}

/** The LSN from which on nothing in the hole is missed. */
export function missedUntil(hole: Hole, history: PartitionHistory): number {
  const life = history.life(hole.partition)
  return life ? deadFrom(life, hole.toOffset) : 0
}
