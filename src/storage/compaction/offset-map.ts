import { assert } from '../../base/assert.ts'
import { digest } from '../../base/digest.ts'

export interface OffsetMapOptions {
  /** Bytes that the table may take (`log.cleaner.dedupe.buffer.size`, divided by the number of cleaners). */
  readonly bytesMax: number
  /** How full the table may become, up to 1 (`log.cleaner.io.buffer.load.factor`). */
  readonly loadFactor: number
  /** No more keys than this will come; a smaller table is made where that is enough. */
  readonly recordCount: number
}

// Sixteen bytes of a key's digest and its offset, as Kafka has it: whatever the keys' lengths, as many fit.
const digestWords = 4
const entryLength = digestWords * 4 + 8
const absent = -1

/** Bytes of a table that holds so many keys. */
export function offsetMapLength(keyCount: number, loadFactor: number): number {
  return (Math.ceil(keyCount / loadFactor) + 1) * entryLength
}

/**
 * The latest offset of each key, in bounded memory that is taken at once (Kafka's SkimpyOffsetMap). Keys are known by 128 bits
 * of their SHA-256: nobody finds two keys that share them, so no key is ever taken for another.
 */
export class OffsetMap {
  /** How many keys fit. */
  readonly keyCountMax: number
  /** Bytes that the table takes. */
  readonly sizeInBytes: number
  keyCount = 0
  readonly #slots: number
  readonly #digests: Uint32Array
  /** One more than the offset; zero for a free slot. */
  readonly #nextOffsets: Float64Array
  /** The digest that was last looked for. */
  readonly #wanted = new Uint32Array(digestWords)

  constructor({ bytesMax, loadFactor, recordCount }: OffsetMapOptions) {
    const slotsMax = Math.max(1, Math.floor(bytesMax / entryLength))
    const slots = Math.min(slotsMax, Math.ceil(recordCount / loadFactor) + 1)
    this.#slots = slots
    this.#digests = new Uint32Array(slots * digestWords)
    this.#nextOffsets = new Float64Array(slots)
    this.keyCountMax = Math.min(Math.floor(slots * loadFactor), slots - 1) // a free slot ends each search
    this.sizeInBytes = slots * entryLength
    assert(this.keyCountMax > 0 || recordCount === 0, `${bytesMax} bytes hold no offset of any key`)
  }

  /** Notes an offset, later than those before it. Returns false, and notes nothing, where a new key no longer fits. */
  put(key: Buffer, offset: number): boolean {
    const slot = this.#find(key)
    if (this.#nextOffsets[slot] === 0) {
      if (this.keyCount === this.keyCountMax) return false
      this.keyCount++
      this.#digests.set(this.#wanted, slot * digestWords)
    }
    this.#nextOffsets[slot] = offset + 1
    return true
  }

  /** The latest offset that was noted for the key, -1 for none. */
  get(key: Buffer): number {
    return this.keyCount === 0 ? absent : this.#nextOffsets[this.#find(key)]! - 1
  }

  /** The slot that holds the key, or the free one where it would be. */
  #find(key: Buffer): number {
    const bytes = digest(key)
    for (let word = 0; word < digestWords; word++) this.#wanted[word] = bytes.readUInt32LE(word * 4)
    let slot = Math.floor((this.#wanted[0]! / 2 ** 32) * this.#slots)
    while (this.#nextOffsets[slot] !== 0 && !this.#isAt(slot)) slot = slot + 1 === this.#slots ? 0 : slot + 1
    return slot
  }

  #isAt(slot: number): boolean {
    const at = slot * digestWords
    for (let word = 0; word < digestWords; word++) {
      if (this.#digests[at + word] !== this.#wanted[word]) return false
    }
    return true
  }
}
