/** Bytes that were accepted and are not synced yet, over all shards: whoever feeds the store stops while there are too many. */
export class Backlog {
  readonly #lengthMax: number
  #length = 0
  #isCongested = false
  #waiting: (() => void)[] = []

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax
  }

  get isCongested(): boolean {
    return this.#isCongested
  }

  /** Calls back when half of the limit is free again, or at once where nothing is congested. */
  onceRelieved(callback: () => void): void {
    if (this.#isCongested) this.#waiting.push(callback)
    else callback()
  }

  add(length: number): void {
    this.#length += length
    if (this.#length > this.#lengthMax) this.#isCongested = true
  }

  remove(length: number): void {
    this.#length -= length
    if (!this.#isCongested || this.#length > this.#lengthMax / 2) return
    this.#isCongested = false
    for (const callback of this.#waiting.splice(0)) callback()
  }
}
