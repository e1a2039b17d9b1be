import type { Cancel, Clock } from '../../src/base/clock.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Time that stands still until the test turns it. Timers fire in the order in which they are due. */
export class ManualClock implements Clock {
  #nowMs: number
  readonly #startMs: number
  #timers: Timer[] = []

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
    this.#startMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer: Timer = { at: this.#nowMs + Math.max(delayMs, 0), callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  /** How many timers are set. */
  get timerCount(): number {
    return this.#timers.length
  }

  /** Lets `durationMs` pass, with everything that follows from it. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    await settled()
    for (let due = this.#next(endMs); due; due = this.#next(endMs)) {
      this.#timers = this.#timers.filter(timer => timer !== due)
      this.#nowMs = Math.max(this.#nowMs, due.at)
      due.callback()
      await settled()
    }
    this.#nowMs = endMs
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= endMs && (next === undefined || timer.at < next.at)) next = timer
    }
    return next
  }
}

/** Resolves when everything that does not wait for time has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
}
