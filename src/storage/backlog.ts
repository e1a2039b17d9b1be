/** What was accepted and is not synced yet, over all shards: whoever feeds the store stops while there is too much. */
export class Backlog {
  readonly #lengthMax: number
  readonly #recordsMax: number
  #length = 0
  #records = 0
  #isCongested = false
  #waiting: (() => void)[] = []

  /** `lengthMax` in bytes. */
  constructor(lengthMax: number, recordsMax: number) {
    this.#lengthMax = lengthMax
    this.#recordsMax = recordsMax
  }

  get isCongested(): boolean {
    return this.#isCongested
  }

  /** Calls back when half of both limits is free again, or at once where nothing is congested. */
  onceRelieved(callback: () => void): void {
    if (this.#isCongested) this.#waiting.push(callback)
    else callback()
  }

  add(length: number, records: number): void {
    this.#length += length
    this.#records += records
    if (this.#length > this.#lengthMax || this.#records > this.#recordsMax) this.#isCongested = true
  }

  remove(length: number, records: number): void {
    this.#length -= length
    this.#records -= records
    if (!this.#isCongested || this.#length > this.#lengthMax / 2 || this.#records > this.#recordsMax / 2)
      return
    this.#isCongested = false
    for (const callback of this.#waiting.splice(0)) callback()
  }
}
