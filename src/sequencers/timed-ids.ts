import { sleep, waitingClock, type Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { SequencerError } from './errors.ts'
import {
  composeId,
  makerMax,
  sequenceMax,
  snowflakeEpochMs,
  timestampBits,
  type IdLayout,
} from './id-layout.ts'
import { NumberFile } from './number-file.ts'

export interface TimedIdsOptions {
  /** What the timestamps count from, in milliseconds since 1970; always the same for one name. */
  readonly epochMs?: number | undefined
  /** The machine's own unless given. */
  readonly clock?: Clock | undefined
  /** How far ahead of the clock the synced bound is: one sync each so often at most, and what a start after a crash may wait. */
  readonly windowMs?: number | undefined
  /** How far back the clock may go and be waited for; beyond that `next` rejects. */
  readonly clockBackMsMax?: number | undefined
}

interface Waiter {
  readonly resolve: (id: bigint) => void
  readonly reject: (error: unknown) => void
}

/**
 * Ids that rise with time and need nobody's permission: milliseconds, who made it, a number within the millisecond. Before a
 * millisecond is used a bound above it is on disk, and a start begins at the bound; so no restart, and no clock that
 * was set back in between, repeats an id. Every call may reject with SequencerError.
 */
export class TimedIds {
  readonly #name: string
  readonly #layout: IdLayout
  readonly #maker: number
  readonly #epochMs: number
  readonly #clock: Clock
  readonly #windowMs: number
  readonly #clockBackMsMax: number
  readonly #sequenceMax: number
  /** Milliseconds since the epoch below which ids may have been made. Not an Obelisk: a file so long frightens backups. */
  readonly #bound: NumberFile
  readonly #startMs: number
  /** The millisecond in use, since the epoch, and the next number in it. */
  #timestamp: number
  #sequence: number
  #raising: Promise<void> | undefined
  #waiters: Waiter[] = []
  #isServing = false
  #isClosed = false

  /** For `open` of each kind. */
  protected constructor(
    name: string,
    layout: IdLayout,
    maker: number,
    bound: NumberFile,
    options: TimedIdsOptions,
  ) {
    this.#name = name
    this.#layout = layout
    this.#maker = maker
    this.#epochMs = options.epochMs ?? snowflakeEpochMs
    this.#clock = options.clock ?? waitingClock
    this.#windowMs = options.windowMs ?? 100
    this.#clockBackMsMax = options.clockBackMsMax ?? 10
    this.#sequenceMax = sequenceMax(layout)
    this.#bound = bound
    this.#startMs = Number(bound.value)
    // The last millisecond that may have been used, with nothing left in it.
    this.#timestamp = this.#startMs - 1
    this.#sequence = this.#sequenceMax + 1
  }

  /** Opens the bound in `name`. Throws RangeError where there is no such maker. */
  protected static openBound(disk: Disk, name: string, layout: IdLayout, maker: number): Promise<NumberFile> {
    if (!Number.isSafeInteger(maker) || maker < 0 || maker > makerMax(layout)) {
      throw new RangeError(`${name}: ${maker} is not a whole number from 0 to ${makerMax(layout)}`)
    }
    return NumberFile.open(disk, name)
  }

  /** An id greater than all before it. Waits for the next millisecond where this one is used up. */
  next(): Promise<bigint> {
    try {
      if (this.#isClosed) throw new SequencerError(`${this.#name} is closed`, 'closed')
      const id = this.#waiters.length === 0 ? this.#take() : undefined
      if (id !== undefined) return Promise.resolve(id)
    } catch (error) {
      return Promise.reject(error as Error)
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      if (!this.#isServing) void this.#serve()
    })
  }

  /** Ends; whoever still waits is refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#raising?.catch(() => {})
    // The exact bound, so that the next start need not wait.
    if (this.#timestamp + 1 < this.#boundMs) await this.#bound.write(BigInt(this.#timestamp + 1))
  }

  get #boundMs(): number {
    return Number(this.#bound.value)
  }

  /** An id, or undefined where time or the bound has to move first. */
  #take(): bigint | undefined {
    const now = this.#now()
    if (now > this.#timestamp) {
      if (now >= this.#boundMs) return undefined
      this.#timestamp = now
      this.#sequence = 0
      // Well before it is reached, so that nobody has to wait for it.
      if (this.#boundMs - now <= this.#windowMs / 2) this.#raise(now).catch(() => {})
    }
    if (this.#sequence > this.#sequenceMax) return undefined
    return composeId(this.#layout, this.#timestamp, this.#maker, this.#sequence++)
  }

  /** Milliseconds since the epoch. */
  #now(): number {
    const now = this.#clock.now() - this.#epochMs
    const behindMs = this.#timestamp - now
    // Until a first id is made the window is waited for too: a crash leaves the bound so far ahead.
    const waitMsMax = this.#clockBackMsMax + (this.#timestamp < this.#startMs ? this.#windowMs : 0)
    if (now < 0 || behindMs > waitMsMax) {
      throw new SequencerError(
        `${this.#name}: the clock stands ${now < 0 ? `${-now} ms before the epoch` : `${behindMs} ms before the last id`}`,
        'clock ran back',
      )
    }
    if (now >= 2 ** Number(timestampBits)) {
      throw new SequencerError(`${this.#name}: ${timestampBits} bits of milliseconds are used up`, 'used up')
    }
    return now
  }

  /** Serves those who wait, first come first served. */
  async #serve(): Promise<void> {
    this.#isServing = true
    while (this.#waiters.length > 0) {
      try {
        if (this.#isClosed) throw new SequencerError(`${this.#name} is closed`, 'closed')
        const id = this.#take()
        if (id !== undefined) this.#waiters.shift()!.resolve(id)
        else if (this.#now() > this.#timestamp) await this.#raise(this.#now())
        else await sleep(this.#clock, 1)
      } catch (error) {
        for (const { reject } of this.#waiters.splice(0)) reject(error)
      }
    }
    this.#isServing = false
  }

  /** Resolves when a bound a window above `now` is on disk. */
  #raise(now: number): Promise<void> {
    return (this.#raising ??= this.#bound
      .write(BigInt(now + this.#windowMs))
      .finally(() => (this.#raising = undefined)))
  }
}
