import type { Clock } from '../base/clock.ts'

/** Holds background work back, so that whoever waits for an answer waits for little of it. */
export class Pace {
  readonly #clock: Clock
  readonly #bytesPerSecond: () => number
  readonly #waiting = new Set<() => void>()
  #dueMs: number
  #isStopped = false

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
    const delayMs = this.#dueMs - nowMs
    if (delayMs >= 1 && !this.#isStopped) await this.#wait(delayMs)
    else await new Promise<void>(resolve => this.#clock.soon(resolve))
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
