/**
 * Memory for requests of which only a part has come, over all connections: Kafka's `queued.max.request.bytes`. When it is
 * used up, connections wait before they read on; the one that has waited longest for the rest of its request never
 * does, so that there is always one that can end.
 */
export class RequestMemory {
  readonly #lengthMax: number
  /** By who holds it, the eldest first. */
  readonly #held = new Map<object, number>()
  #used = 0
  readonly #waiting = new Set<() => void>()

  /** `lengthMax` in bytes; not positive is without bound. */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax > 0 ? lengthMax : Infinity
  }

  /** Lets `owner` hold `length` bytes in all; false where that is too much for now. */
  take(owner: object, length: number): boolean {
    const before = this.#held.get(owner) ?? 0
    const [eldest = owner] = this.#held.keys()
    if (this.#used - before + length > this.#lengthMax && eldest !== owner) return false
    this.#held.set(owner, length)
    this.#used += length - before
    return true
  }

  /** Takes back what `owner` holds, and wakes those who wait. */
  give(owner: object): void {
    const length = this.#held.get(owner)
    if (length === undefined) return
    this.#held.delete(owner)
    this.#used -= length
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /** Calls back at the next chance of getting some. */
  onceFreed(wake: () => void): void {
    this.#waiting.add(wake)
  }
}
