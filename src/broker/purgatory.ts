import type { Cancel, Clock } from '../base/clock.ts'

/** What can move, as the log of a partition can: whoever waits looks again then. */
export interface Advancing {
  /** It moves no more: whoever would wait for it looks again at once. */
  readonly isOver: boolean
  onAdvance(listener: () => void): Cancel
}

/** What ended a wait. */
export type Wake = 'advance' | 'deadline' | 'disconnect'

/** Fetches that wait for bytes. One owner, three exits: a log moved, the time is up, the client is gone. */
export class Purgatory {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Waits until one of `logs` moves or is over, `deadline` (of the monotonic clock, ms) has come, or `signal` aborts. */
  park(logs: readonly Advancing[], deadline: number, signal: AbortSignal): Promise<Wake> {
    return new Promise(resolve => {
      if (signal.aborted) return resolve('disconnect')
      if (logs.some(({ isOver }) => isOver)) return resolve('advance')
      const cancels: Cancel[] = []
      const wake = (why: Wake): void => {
        for (const cancel of cancels.splice(0)) cancel()
        resolve(why)
      }
      const disconnected = (): void => wake('disconnect')
      signal.addEventListener('abort', disconnected, { once: true })
      cancels.push(() => signal.removeEventListener('abort', disconnected))
      cancels.push(this.#clock.after(deadline - this.#clock.monotonic(), () => wake('deadline')))
      const advanced = (): void => wake('advance')
      for (const log of logs) cancels.push(log.onAdvance(advanced))
    })
  }
}
