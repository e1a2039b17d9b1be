import { createHash } from 'node:crypto'

/** A digest of everything that has happened, so that two runs can be told to be the same. */
export class Trace {
  readonly #hash = createHash('sha256')
  #events = 0

  /** How much has happened. */
  get events(): number {
    return this.#events
  }

  note(atMs: number, what: string, bytes?: Buffer): void {
    this.#events++
    this.#hash.update(`${atMs} ${what} ${bytes?.length ?? ''}\n`)
    if (bytes) this.#hash.update(bytes)
  }

  digest(): string {
    return this.#hash.copy().digest('hex')
  }
}
