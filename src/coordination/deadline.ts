import type { Cancel, Clock } from '../base/clock.ts'

/**
 * A moment that is moved often and reached seldom, as a member's session is by every heartbeat. Moving it into the
 * future costs no timer: the one that is set notices when it fires, and waits for the rest.
 */
export class Deadline {
  readonly #clock: Clock
  #expire: (() => void) | undefined
  #at = Infinity
  #timerAt = Infinity
  #cancelTimer: Cancel | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `expire` once, `delayMs` from now, in place of what was set before. */
  set(delayMs: number, expire: () => void): void {
    this.#expire = expire
    this.#at = this.#clock.monotonic() + delayMs
    if (this.#at < this.#timerAt) this.#arm()
  }

  /** Whether it is still to come. */
  get isSet(): boolean {
    return this.#expire !== undefined
  }

  cancel(): void {
    this.#expire = undefined
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#timerAt = Infinity
  }

  #arm(): void {
    this.#cancelTimer?.()
    this.#timerAt = this.#at
    this.#cancelTimer = this.#clock.after(this.#at - this.#clock.monotonic(), () => this.#reached())
  }

  #reached(): void {
    this.#timerAt = Infinity
    if (this.#at > this.#clock.monotonic()) return this.#arm()
    const expire = this.#expire
    this.cancel()
    expire?.()
  }
}
