import { SequencerError, sequencerError, type SequencerFailure } from './errors.ts'

/** Numbers from 0 on, each handed out once, whatever crashes in between. Every call may reject with SequencerError. */
export interface Sequencer {
  /** No number from here on has been handed out; the next one is this one, or a later one where numbers were lost. */
  readonly value: bigint
  /** The next number, once a crash cannot hand it out again. Calls made at once share a sync. */
  next(): Promise<bigint>
  /** The first of `count` numbers that follow one another, taken in one step; `count` is a whole number from 0 on. */
  reserve(count: number): Promise<bigint>
  /** Resolves when everything reserved before is on stable storage. */
  flush(): Promise<void>
  /** Flushes, and gives up the file; nothing is handed out afterwards. */
  close(): Promise<void>
}

/**
 * How a sequencer comes through. `power loss`: a number is synced before it is handed out. `kill`: it is in the memory of the
 * kernel, which outlives the process and not the machine.
 */
export type Survives = 'power loss' | 'kill'

/** A way to write one growing number down: all that the kinds of sequencers differ in. */
export interface Keeper {
  /** The greatest value that it can keep, and what is wrong beyond it. */
  readonly valueMax: bigint
  readonly beyond: { readonly reason: SequencerFailure; readonly message: string }
  /** Has a kill of the process leave `value`, at once; only where that is all that is asked for. */
  note?(value: bigint): void
  /** Resolves when a power loss leaves at least `value`; to what it leaves. One call at a time, each with more than the last. */
  keep(value: bigint): Promise<bigint>
  /** `value` is the last word, and kept already. */
  close(value: bigint): Promise<void>
}

/** A sequencer over any keeper: reserves in memory, and has whoever waits share the keeper's syncs. */
export class KeptSequencer implements Sequencer {
  readonly #name: string
  readonly #keeper: Keeper
  /** Below this, numbers belong to somebody. */
  #reserved: bigint
  /** Below this, a number may be handed out at once. */
  #usable: bigint
  /** Below this, a power loss hands out nothing again. */
  #kept: bigint
  /** The sync under way, or the last one, and the one that has not begun. */
  #sync: Promise<void> | undefined
  #nextSync: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /** `value` is what the keeper has found. */
  constructor(name: string, keeper: Keeper, value: bigint) {
    this.#name = name
    this.#keeper = keeper
    this.#reserved = value
    this.#usable = value
    this.#kept = value
  }

  get value(): bigint {
    return this.#reserved < this.#usable ? this.#reserved : this.#usable
  }

  next(): Promise<bigint> {
    return this.reserve(1)
  }

  // Not an async function: those who wait for a sync cost a promise each, and nothing else.
  reserve(count: number): Promise<bigint> {
    const first = this.#reserved
    try {
      this.#take(count)
    } catch (error) {
      return Promise.reject(error as Error)
    }
    return this.#reserved <= this.#usable ? Promise.resolve(first) : this.flush().then(() => first)
  }

  #take(count: number): void {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`${count} numbers: a count is a whole number from 0 on`)
    }
    if (this.#closing) throw new SequencerError(`${this.#name} is closed`, 'closed')
    const end = this.#reserved + BigInt(count)
    const { valueMax, beyond } = this.#keeper
    if (end > valueMax) throw new SequencerError(`${this.#name}: ${beyond.message}`, beyond.reason)
    this.#reserved = end
    if (this.#keeper.note && end > this.#usable) {
      this.#keeper.note(end)
      this.#usable = end
    }
  }

  flush(): Promise<void> {
    if (this.#reserved <= this.#kept) return Promise.resolve()
    return (this.#nextSync ??= this.#syncAfter(this.#sync))
  }

  /** Whatever is reserved while the sync `before` is under way, or else in this turn, shares this one. */
  async #syncAfter(before: Promise<void> | undefined): Promise<void> {
    await before?.catch(() => {})
    this.#sync = this.#nextSync
    this.#nextSync = undefined
    const target = this.#reserved
    // The one before may have kept a bound beyond.
    if (target <= this.#kept) return
    try {
      this.#kept = await this.#keeper.keep(target)
    } catch (error) {
      throw sequencerError(`${this.#name}: the counter cannot be moved to ${target}`, error)
    }
    if (this.#kept > this.#usable) this.#usable = this.#kept
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#keeper.close(this.#reserved)
    }
  }
}
