import type { Clock } from '../base/clock.ts'
import type { Slice } from './reading.ts'

/** A stretch of a partition that is being read, or was. */
export interface Ahead {
  readonly from: number
  readonly nextOffset: number
  /** Bytes. */
  readonly length: number
  readonly slice: Promise<Slice>
}

interface Kept extends Ahead {
  readonly sinceMs: number
}

/** All stretches together are no longer than this. */
const lengthMax = 16 * 1024 * 1024
/** Whoever has not come for a stretch by then may be gone. */
const idleMsMax = 1000

/**
 * What those who read a partition from the disk, one long stretch after another, will ask for next: read while they are busy with what
 * they have, so that neither waits for the other. One stretch for each partition.
 */
export class ReadAhead {
  readonly #clock: Clock
  /** By who reads, the eldest first. */
  readonly #kept = new Map<object, Kept>()
  #length = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a stretch of `length` bytes may be read ahead; what nobody came for gives way to it. */
  hasRoom(length: number): boolean {
    for (const [reader, { sinceMs }] of this.#kept) {
      if (this.#length + length <= lengthMax || this.#clock.monotonic() - sinceMs < idleMsMax) break
      void giveUp(this.#remove(reader)!)
    }
    return this.#length + length <= lengthMax
  }

  /** Keeps a stretch for its reader, in the place of any that it has. */
  keep(reader: object, ahead: Ahead): void {
    const replaced = this.#remove(reader)
    if (replaced) void giveUp(replaced)
    this.#kept.set(reader, { ...ahead, sinceMs: this.#clock.monotonic() })
    this.#length += ahead.length
    // Whoever comes for it will be told.
    ahead.slice.catch(() => {})
  }

  /**
   * What is kept for a reader and begins at `from`; it is the caller's from now on. What begins elsewhere stays: a partition may have
   * other readers, at its tail say.
   */
  take(reader: object, from: number): Ahead | undefined {
    return this.#kept.get(reader)?.from === from ? this.#remove(reader) : undefined
  }

  #remove(reader: object): Ahead | undefined {
    const ahead = this.#kept.get(reader)
    if (!ahead) return undefined
    this.#kept.delete(reader)
    this.#length -= ahead.length
    return ahead
  }

  /** Gives everything up; resolves when nothing is being read any more. */
  async drop(): Promise<void> {
    const slices = [...this.#kept.keys()].map(reader => this.#remove(reader)!).map(giveUp)
    await Promise.all(slices)
  }
}

/** Gives the memory of a stretch back that nobody wants, once it is read. */
export async function giveUp({ slice }: Ahead): Promise<void> {
  await slice.then(
    ({ release }) => release(),
    () => {},
  )
}
