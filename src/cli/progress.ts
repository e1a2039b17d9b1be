import type { Clock } from '../base/clock.ts'

const silentMs = 1000
const stepMs = { terminal: 100, log: 5000 }

/** Says how far a long walk has come: on a terminal in place, elsewhere in a line now and then, and only after a second. */
export class Progress {
  readonly #stream: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly #clock: Clock
  readonly #what: string
  #total = 0
  #done = 0
  #nextAt: number
  #isShown = false

  constructor(stream: NodeJS.WritableStream & { isTTY?: boolean }, clock: Clock, what: string) {
    this.#stream = stream
    this.#clock = clock
    this.#what = what
    this.#nextAt = clock.monotonic() + (stream.isTTY ? 0 : silentMs)
  }

  /** So many bytes more are to come. */
  expect(length: number): void {
    this.#total += length
  }

  /** So many bytes more are done. */
  advance(length: number): void {
    this.#done += length
    const now = this.#clock.monotonic()
    if (now < this.#nextAt) return
    this.#nextAt = now + (this.#stream.isTTY ? stepMs.terminal : stepMs.log)
    this.#isShown = true
    const percent = Math.floor((100 * this.#done) / Math.max(1, this.#total))
    const line = `${this.#what}: ${percent} % of ${(this.#total / 1e6).toFixed(1)} MB`
    this.#stream.write(this.#stream.isTTY ? `\r${line}\u001B[K` : `${line}\n`)
  }

  /** Leaves a terminal's line as if nothing had been there. */
  end(): void {
    if (this.#isShown && this.#stream.isTTY) this.#stream.write('\r\u001B[K')
  }
}
