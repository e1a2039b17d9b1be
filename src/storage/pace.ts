import type { Clock } from '../base/clock.ts'

// A wait asks anew for the rate at least this often: one that was set by mistake holds up nothing once it is corrected.
const stepMsMax = 1000

/** Holds background work back, so that whoever waits for an answer waits for little of it. */
export class Pace {
  readonly #clock: Clock
  readonly #bytesPerSecond: () => number
  readonly #waiting = new Set<() => void>()
  /** Bytes that were read and written ahead of what the rate allows; not the time that they take, which is another at each rate. */
  #debt = 0
  #paidMs: number
  #isStopped = false

  /**
   * `bytesPerSecond` is asked each time; Infinity, or more than any disk has, for no limit. What is not above 0 lets nothing go on
   * until it is raised.
   */
  constructor(clock: Clock, bytesPerSecond: () => number = () => Infinity) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
    this.#paidMs = clock.monotonic()
  }

  /** Takes in that `length` bytes were read and written; resolves when it may go on, at the earliest in the next turn. */
  async pass(length: number): Promise<void> {
    // What was not used while there was nothing to do is not caught up.
    this.#pay()
    this.#debt += length
    await new Promise<void>(resolve => this.#clock.soon(resolve))
    for (let delayMs = this.#pay(); delayMs >= 1 && !this.#isStopped; delayMs = this.#pay())
      await this.#wait(Math.min(delayMs, stepMsMax))
  }

  /** Takes off the debt what the time since the last call was good for; returns how long the rest takes. */
  #pay(): number {
    const rate = this.#rate()
    const nowMs = this.#clock.monotonic()
    this.#debt = Math.max(0, this.#debt - rate * ((nowMs - this.#paidMs) / 1000))
    this.#paidMs = nowMs
    return this.#debt === 0 ? 0 : (this.#debt / rate) * 1000
  }

  /** Finite, as Infinity times no time is not a number; and 0 for one that is none. */
  #rate(): number {
    const rate = this.#bytesPerSecond()
    return rate > 0 ? Math.min(rate, Number.MAX_VALUE) : 0
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const resume = (): void => {
        cancel()
        this.#waiting.delete(resume)
        resolve()
      }
      const cancel = this.#clock.after(delayMs, resume)
      this.#waiting.add(resume)
    })
  }

  /** Holds nothing back any more: what goes on is to end. */
  stop(): void {
    this.#isStopped = true
    for (const resume of this.#waiting) resume()
  }
}
