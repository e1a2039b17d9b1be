import { sleep, type Clock } from '../base/clock.ts'

/** Holds background work back, so that whoever waits for an answer waits for little of it. */
export class Pace {
  readonly #clock: Clock
  readonly #bytesPerSecond: () => number
  #dueMs: number

  /** `bytesPerSecond` is asked each time; Infinity, or more than any disk has, for no limit. */
  constructor(clock: Clock, bytesPerSecond: () => number = () => Infinity) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
    this.#dueMs = clock.monotonic()
  }

  /** Takes in that `length` bytes were read and written; resolves when it may go on, at the earliest in the next turn. */
  async pass(length: number): Promise<void> {
    const nowMs = this.#clock.monotonic()
    // What was not used while there was nothing to do is not caught up.
    this.#dueMs = Math.max(this.#dueMs, nowMs) + (length / this.#bytesPerSecond()) * 1000
    if (this.#dueMs - nowMs >= 1) await sleep(this.#clock, this.#dueMs - nowMs)
    else await new Promise<void>(resolve => this.#clock.soon(resolve))
  }
}
