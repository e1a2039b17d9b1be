import { assert } from '../base/assert.ts'

/** A record's VLSN and its offset in its partition. */
export interface Place {
  readonly vlsn: bigint
  readonly offset: number
}

/** Records at offsets that follow one another, whose VLSNs are `stride` apart. */
export interface Stretch extends Place {
  readonly stride: bigint
  readonly count: number
}

interface MutableStretch {
  vlsn: bigint
  offset: number
  stride: bigint
  count: number
}

/**
 * Where the VLSNs of one partition are stored. They rise with the offsets, and a writer that leaves no gap puts each a partition count
 * behind the one before; so one stretch stands for any number of records, and another begins only where numbers are missing or a
 * transaction's marker lies between. Kept in RAM, and found again at a start by looking at the ends of stretches alone
 * (`index-loading.ts`).
 */
export class VlsnIndex {
  #stretches: MutableStretch[] = []
  #last = -1n

  /** The greatest VLSN that was ever noted; -1 where there was none. */
  get last(): bigint {
    return this.#last
  }

  get stretches(): readonly Stretch[] {
    return this.#stretches
  }

  /** Notes the next record. */
  note(vlsn: bigint, offset: number): void {
    this.noteStretch({ vlsn, offset, stride: vlsn - this.#last, count: 1 })
  }

  /** Notes the next records; of a single one the stride says nothing. */
  noteStretch({ vlsn, offset, stride, count }: Stretch): void {
    const before = this.#stretches.at(-1)
    assert(
      vlsn > this.#last && (!before || offset >= before.offset + before.count),
      `VLSN ${vlsn} at offset ${offset} is not behind the last one`,
    )
    const step = vlsn - this.#last
    this.#last = count === 1 ? vlsn : vlsn + stride * BigInt(count - 1)
    if (
      before?.offset === offset - (before?.count ?? 0) &&
      (before.count === 1 || before.stride === step) &&
      (count === 1 || stride === step)
    ) {
      before.stride = step
      before.count += count
    } else this.#stretches.push({ vlsn, offset, stride, count })
  }

  /** Forgets what lies before `offset`; `last` stays. */
  trimBefore(offset: number): void {
    const stretches = this.#stretches
    const first = stretches[0]
    if (!first || first.offset >= offset) return
    const alive = stretches.findIndex(each => each.offset + each.count > offset)
    stretches.splice(0, alive < 0 ? stretches.length : alive)
    const cut = stretches[0]
    if (!cut || cut.offset >= offset) return
    const dead = offset - cut.offset
    cut.vlsn += cut.stride * BigInt(dead)
    cut.offset = offset
    cut.count -= dead
  }

  /** The first record at or behind `offset`. */
  firstFromOffset(offset: number): Place | undefined {
    const stretch = this.#stretches[this.#find(each => each.offset + each.count > offset)]
    return stretch && placeIn(stretch, Math.max(offset - stretch.offset, 0))
  }

  /** The last record before `offset`. */
  lastBeforeOffset(offset: number): Place | undefined {
    const stretch = this.#stretches[this.#find(each => each.offset >= offset) - 1]
    return stretch && placeIn(stretch, Math.min(offset - stretch.offset, stretch.count) - 1)
  }

  /** The first record whose VLSN is not below `vlsn`. */
  firstFrom(vlsn: bigint): Place | undefined {
    const stretch = this.#stretches[this.#find(each => lastOf(each) >= vlsn)]
    if (!stretch || stretch.vlsn >= vlsn || stretch.count === 1) return stretch && placeIn(stretch, 0)
    return placeIn(stretch, Number((vlsn - stretch.vlsn + stretch.stride - 1n) / stretch.stride))
  }

  /** The offset of the record with exactly this VLSN. */
  offsetOf(vlsn: bigint): number | undefined {
    const found = this.firstFrom(vlsn)
    return found?.vlsn === vlsn ? found.offset : undefined
  }

  /** The first stretch for which `isBehind` holds; it holds for all that follow. */
  #find(isBehind: (stretch: MutableStretch) => boolean): number {
    const stretches = this.#stretches
    const end = stretches.length
    // Readers and writers at the tail are the most.
    if (end > 0 && !isBehind(stretches[end - 1]!)) return end
    if (end > 1 && !isBehind(stretches[end - 2]!)) return end - 1
    let low = 0
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBehind(stretches[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }
}

function lastOf({ vlsn, stride, count }: Stretch): bigint {
  return count === 1 ? vlsn : vlsn + stride * BigInt(count - 1)
}

function placeIn({ vlsn, offset, stride }: Stretch, at: number): Place {
  return { vlsn: vlsn + stride * BigInt(at), offset: offset + at }
}
