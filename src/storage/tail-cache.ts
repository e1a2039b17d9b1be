import type { Segment } from './segment.ts'

/** The batches of one committed block. */
interface Cached {
  readonly segment: Segment
  readonly firstOrdinal: number
  readonly count: number
  readonly length: number
}

/**
 * The newest committed blocks in RAM, as the bytes that they were written from, so that readers at the tail cost no disk.
 * The oldest give way when there are too many bytes, or when too much memory is held: a small batch may have come in a
 * large frame, the rest of which was refused, and holds all of it.
 */
export class TailCache {
  readonly #lengthMax: number
  readonly #isMemoryShort: () => boolean
  #blocks: Cached[] = []
  #first = 0
  #length = 0

  constructor(lengthMax: number, isMemoryShort: () => boolean) {
    this.#lengthMax = lengthMax
    this.#isMemoryShort = isMemoryShort
  }

  /** Takes over the batches of a block, which the segment's memory holds. */
  add(block: Cached): void {
    this.#blocks.push(block)
    this.#length += block.length
    block.segment.memory!.cachedCount += block.count
    while (this.#length > this.#lengthMax) this.#evictOldest()
    while (this.#length > 0 && this.#isMemoryShort()) this.#evictOldest()
  }

  /** Gives up the batches of segments before their turn. */
  drop(segments: readonly Segment[]): void {
    const blocks = this.#blocks.slice(this.#first)
    this.#blocks = []
    this.#first = 0
    for (const block of blocks) {
      if (segments.includes(block.segment)) this.#evict(block)
      else this.#blocks.push(block)
    }
  }

  #evictOldest(): void {
    const block = this.#blocks[this.#first++]!
    if (this.#first > 1024 && this.#first * 2 > this.#blocks.length) {
      this.#blocks = this.#blocks.slice(this.#first)
      this.#first = 0
    }
    this.#evict(block)
  }

  #evict(block: Cached): void {
    this.#length -= block.length
    const { segment } = block
    const memory = segment.memory!
    for (let ordinal = block.firstOrdinal; ordinal < block.firstOrdinal + block.count; ordinal++) {
      memory.give(ordinal)
    }
    memory.cachedCount -= block.count
    if (segment.isClosed && memory.cachedCount === 0) segment.forget()
  }
}
