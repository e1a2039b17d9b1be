import type { Region, Slabs } from '../base/slabs.ts'

/** Bytes that the windows of all partitions take of a page that has them. */
const windowsLength = 160 * 1024
/** What is not much shorter than a window is copied by itself. */
const movesPerWindowMin = 4

export interface PageOptions {
  readonly slabs: Slabs
  readonly length: number
  /** How many partitions have a window; 0 where little is to be copied. */
  readonly partitionCount: number
}

/**
 * Memory in which batches are written one behind another.
 *
 * Their records come from all partitions in turn, and copying some hundred bytes from another buffer is a call that makes an object:
 * several times the cost of moving them within one. So what follows in each partition is copied by the stretch into a window at the end of
 * the page, and records are moved from there.
 */
export class Page {
  readonly #region: Region
  readonly #windowLength: number
  /** What is shown in the window of each partition: a part of which body, and from where on. */
  readonly #shown: Buffer[] = []
  readonly #shownFrom: number[] = []
  readonly bytes: Buffer
  readonly partitionCount: number
  /** Where batches have to end. */
  readonly end: number
  /** Where the next batch begins. */
  used = 0

  constructor({ slabs, length, partitionCount }: PageOptions) {
    this.#region = slabs.take(length)
    this.bytes = this.#region.bytes
    this.partitionCount = partitionCount
    this.end = partitionCount === 0 ? length : length - windowsLength
    this.#windowLength = partitionCount === 0 ? 0 : Math.floor(windowsLength / partitionCount)
  }

  get lengthLeft(): number {
    return this.end - this.used
  }

  /** Copies the bytes of `body` from `from` to before `to`, which is of partition `number`, to `at`. */
  copy(number: number, body: Buffer, from: number, to: number, at: number): void {
    const windowLength = this.#windowLength
    if ((to - from) * movesPerWindowMin > windowLength) {
      body.copy(this.bytes, at, from, to)
      return
    }
    const windowAt = this.end + number * windowLength
    let shownFrom = this.#shownFrom[number]!
    if (this.#shown[number] !== body || to > shownFrom + windowLength) {
      body.copy(this.bytes, windowAt, from, Math.min(from + windowLength, body.length))
      this.#shown[number] = body
      this.#shownFrom[number] = shownFrom = from
    }
    this.bytes.copyWithin(at, windowAt + from - shownFrom, windowAt + to - shownFrom)
  }

  /** What was written from `start` to before `end`, held for whoever asks. */
  part(start: number, end: number): Region {
    return this.#region.part(start, end)
  }

  /** Nothing is written any more. */
  release(): void {
    this.#region.release()
  }
}
