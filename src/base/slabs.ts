import { assert } from './assert.ts'
import type { Clock } from './clock.ts'

/**
 * Reused memory for bytes that live longer than one turn: frames being joined, blocks waiting for the disk, the tail
 * cache, what a slow consumer has yet to read. Fresh memory costs a page fault every 4 KiB, which is more than
 * copying into it; so slabs are counted, and come back when nobody holds them any more.
 */
export class Slabs {
  /** Those that nobody holds, in the order in which they came back. */
  readonly #idle: Slab[] = []
  readonly #idleLengthMax: number
  readonly #clock: Clock | undefined
  #idleLength = 0
  #isAging = false
  #current: Slab | undefined
  #used = 0
  #takenLength = 0

  /**
   * `idleLengthMax`: bytes of idle slabs to keep for the next taker, or three times the longest where that is more; those that came
   * back last are kept. Where there is a `clock`, they are kept for seconds only: much is wanted again at once under load, and nothing
   * after it.
   */
  constructor(idleLengthMax = 64 * 1024 * 1024, clock?: Clock) {
    this.#idleLengthMax = idleLengthMax
    this.#clock = clock
  }

  /** Bytes in slabs that somebody holds. */
  get takenLength(): number {
    return this.#takenLength
  }

  /** A region of `length` bytes, held once. Regions taken one after another lie one after another while a slab lasts. */
  take(length: number): Region {
    if (length > sharedLengthMax) return new Region(this.#slab(length), 0, length, true)
    if (!this.#current || this.#used + length > this.#current.bytes.length) {
      this.#current?.release()
      this.#current = this.#slab(slabLength)
      this.#used = 0
    }
    const at = this.#used
    this.#used += length
    return new Region(this.#current, at, length, false)
  }

  #slab(length: number): Slab {
    const slab = this.#takeIdle(length) ?? new Slab(roundUp(length), this.#returned)
    slab.references = 1
    this.#takenLength += slab.bytes.length
    return slab
  }

  /** The shortest idle slab of `length` bytes at least, unless most of it would be left over. */
  #takeIdle(length: number): Slab | undefined {
    let best = -1
    let bestLength = 2 * length
    for (let index = this.#idle.length - 1; index >= 0; index--) {
      const found = this.#idle[index]!.bytes.length
      if (found < length || found >= bestLength) continue
      best = index
      bestLength = found
    }
    if (best < 0) return undefined
    this.#idleLength -= bestLength
    return this.#idle.splice(best, 1)[0]
  }

  readonly #returned = (slab: Slab): void => {
    this.#takenLength -= slab.bytes.length
    this.#idleLength += slab.bytes.length
    this.#idle.push(slab)
    // The oldest go, whatever their length: kept, they would have every taker of another length take new memory for good.
    while (
      this.#idleLength > this.#idleLengthMax &&
      this.#idleLength > longestKeptCount * this.#longestIdle()
    )
      this.#dropOldest()
    if (!this.#clock) return
    slab.idleSinceMs = this.#clock.monotonic()
    this.#age(this.#clock)
  }

  #longestIdle(): number {
    return this.#idle.reduce((longest, { bytes }) => Math.max(longest, bytes.length), 0)
  }

  #dropOldest(): void {
    this.#idleLength -= this.#idle.shift()!.bytes.length
  }

  /** Gives up what has been idle for too long, as long as anything is. */
  #age(clock: Clock): void {
    if (this.#isAging || this.#idle.length === 0) return
    this.#isAging = true
    clock.after(idleMsMax, () => {
      const sinceMs = clock.monotonic() - idleMsMax
      while (this.#idle.length > 0 && this.#idle[0]!.idleSinceMs <= sinceMs) this.#dropOldest()
      this.#isAging = false
      this.#age(clock)
    })
  }
}

const slabLength = 1024 * 1024
/** Longer regions get a slab of their own. */
const sharedLengthMax = slabLength / 4
/**
 * So many of the longest idle slab may be kept, whatever the bound: who sends frames of tens of megabytes has one under way, one on its
 * way to the disk and one in the tail, and each in new memory would cost as much again as serving it.
 */
const longestKeptCount = 3
/** No idle slab is kept for more than twice as long. */
const idleMsMax = 2000

/** To a multiple of an eighth of the next power of two: lengths few enough to be met again, and little left over. */
function roundUp(length: number): number {
  const step = 2 ** Math.max(Math.ceil(Math.log2(length)) - 3, 0)
  return Math.ceil(length / step) * step
}

/**
 * Copies of short byte strings, one behind another in regions that they share: where there are many, one object for each would cost
 * as much as copying does.
 */
export class Copies {
  readonly #slabs: Slabs
  #region: Region | undefined
  #end = 0
  /** Where the last copy begins in its region. */
  at = 0

  /** `slabs`: of their own, so that copies lie together and pin nothing that is gone. */
  constructor(slabs: Slabs) {
    this.#slabs = slabs
  }

  /** Copies `bytes` to `at` of the region that is returned, held once more for this copy. */
  add(bytes: Buffer): Region {
    if (bytes.length > sharedLengthMax) {
      const region = this.#slabs.take(bytes.length)
      bytes.copy(region.bytes)
      this.at = 0
      return region
    }
    if (!this.#region || this.#end + bytes.length > slabLength) {
      this.#region?.release()
      this.#region = this.#slabs.take(slabLength)
      this.#end = 0
    }
    this.at = this.#end
    this.#end += bytes.copy(this.#region.bytes, this.at)
    return this.#region.retain()
  }
}

class Slab {
  readonly bytes: Buffer
  readonly #returned: (slab: Slab) => void
  references = 0
  idleSinceMs = 0

  constructor(length: number, returned: (slab: Slab) => void) {
    this.bytes = Buffer.allocUnsafeSlow(length)
    this.#returned = returned
  }

  retain(): void {
    assert(this.references > 0, 'a slab retained after its release')
    this.references++
  }

  release(): void {
    assert(this.references > 0, 'a slab released twice')
    if (--this.references === 0) this.#returned(this)
  }
}

/** Some bytes of a slab and a hold on it. Whoever retains it releases it, once; after that the bytes are another's. */
export class Region {
  readonly bytes: Buffer
  readonly #slab: Slab
  readonly #at: number

  constructor(slab: Slab, at: number, length: number, isOnly: boolean) {
    this.#slab = slab
    this.#at = at
    this.bytes = slab.bytes.subarray(at, at + length)
    if (!isOnly) slab.retain()
  }

  /** Where in the region a view of it begins. */
  positionOf(view: Buffer): number {
    assert(view.buffer === this.bytes.buffer, 'a view of other bytes than the region has')
    return view.byteOffset - this.bytes.byteOffset
  }

  retain(): this {
    this.#slab.retain()
    return this
  }

  /** The bytes from `start` to before `end` as a region of their own, held on its own. */
  part(start: number, end: number): Region {
    return new Region(this.#slab, this.#at + start, end - start, false)
  }

  release(): void {
    this.#slab.release()
  }
}
