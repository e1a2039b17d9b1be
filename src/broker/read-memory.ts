import type { Slice } from '../storage/reading.ts'

/** Above the bound an answer takes no more than this, in bytes: what Kafka's clients ask of one partition. */
const shortLengthMax = 1024 * 1024

/**
 * What answers hold of what was read, over all connections: it stays in memory until its reader has taken it, who may be slow.
 * Above the bound answers are short, so that everybody still gets on.
 */
export class ReadMemory {
  readonly #lengthMax: number
  #held = 0

  /** `lengthMax` in bytes. */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax
  }

  /** How much more an answer may take now that has `taken` bytes, and by its own limits may have `left` more. */
  allow(left: number, taken: number): number {
    return this.#held > this.#lengthMax ? Math.min(left, shortLengthMax - taken) : left
  }

  /** The same slice, counted until it is released. */
  hold(slice: Slice): Slice {
    const { pieces, length, nextOffset } = slice
    this.#held += length
    const release = (): void => {
      this.#held -= length
      slice.release()
    }
    return { pieces, length, nextOffset, release }
  }
}
