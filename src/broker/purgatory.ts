import type { Cancel, Clock } from '../base/clock.ts'
import type { ReadablePartition } from '../storage/readable-partition.ts'

/** What ended a wait. */
export type Wake = 'advance' | 'deadline' | 'disconnect'

/** Fetches that wait for bytes. One owner, three exits: a log moved, the time is up, the client is gone. */
export class Purgatory {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Waits until one of `logs` moves, `deadline` (of the monotonic clock, ms) has come, or `signal` aborts. */
  park(logs: Iterable<ReadablePartition>, deadline: number, signal: AbortSignal): Promise<Wake> {
    return new Promise(resolve => {
      if (signal.aborted) return resolve('disconnect')
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
