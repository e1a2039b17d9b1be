import type { Cancel, Clock } from '../base/clock.ts'

export interface RepetitionOptions {
  readonly clock: Clock
  /** How long the first time is waited for. */
  readonly firstMs: number
  /** How long each other time is waited for, once the one before it is over. */
  pauseMs(): number
  /** Never rejects. */
  work(): Promise<void>
}

/** Work that is done over and over until it is stopped. */
export class Repetition {
  readonly #options: RepetitionOptions
  #isStopped = false
  #cancel: Cancel | undefined
  #sinceMs = 0
  /** What `pauseMs` said when the wait began. */
  #pauseMs = 0

  constructor(options: RepetitionOptions) {
    this.#options = options
    this.#wait(options.firstMs)
  }

  #wait(delayMs: number): void {
    if (this.#isStopped) return
    const { clock, pauseMs } = this.#options
    this.#sinceMs = clock.monotonic()
    this.#pauseMs = pauseMs()
    this.#arm(delayMs)
  }

  #arm(delayMs: number): void {
    const { clock, pauseMs, work } = this.#options
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = undefined
      void work().then(() => this.#wait(pauseMs()))
    })
  }

  /** Goes by what `pauseMs` says now, also in the wait that is under way. */
  retime(): void {
    const { clock, pauseMs } = this.#options
    if (!this.#cancel || pauseMs() === this.#pauseMs) return
    this.#cancel()
    this.#pauseMs = pauseMs()
    this.#arm(this.#sinceMs + this.#pauseMs - clock.monotonic())
  }

  /** What is under way ends, and is not done again. */
  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
    this.#cancel = undefined
  }
}
