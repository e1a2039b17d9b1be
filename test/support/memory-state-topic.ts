import type { StateRecord, StateTopic } from '../../src/coordination/state-topic.ts'

interface Append {
  readonly partition: number
  readonly records: readonly StateRecord[]
  readonly done: Promise<void>
  resolve(): void
  reject(error: Error): void
}

/** `__consumer_offsets` in memory. Appends are synced at once, or, while it is held, when the test says so. */
export class MemoryStateTopic implements StateTopic {
  readonly partitionCount: number
  /** What is synced, by partition. */
  readonly synced: StateRecord[][]
  /** The offset of the first record that is there, by partition. */
  readonly starts: number[]
  /** The number of appends so far. */
  appendCount = 0
  #pending: Append[] = []
  #isHeld = false
  #failure: Error | undefined

  constructor(partitionCount = 4) {
    this.partitionCount = partitionCount
    this.synced = Array.from({ length: partitionCount }, () => [])
    this.starts = this.synced.map(() => 0)
  }

  append(partition: number, records: readonly StateRecord[]): Promise<void> {
    this.appendCount++
    if (this.#failure) return Promise.reject(this.#failure)
    let resolve!: () => void
    let reject!: (error: Error) => void
    const done = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]))
    this.#pending.push({ partition, records, done, resolve, reject })
    if (!this.#isHeld) this.release()
    return done
  }

  async lastPending(partition: number): Promise<void> {
    await this.#pending.findLast(append => append.partition === partition)?.done
  }

  async replay(partition: number, visit: (key: Buffer, value: Buffer | null) => void): Promise<void> {
    // Lent bytes only: whoever keeps a view sees zeros later.
    for (const { key, value } of this.synced[partition]!) {
      const [lentKey, lentValue] = [Buffer.from(key), value && Buffer.from(value)]
      visit(lentKey, lentValue)
      lentKey.fill(0)
      lentValue?.fill(0)
    }
  }

  /** Records under way are counted. */
  endOffset(partition: number): bigint {
    let count = this.starts[partition]! + this.synced[partition]!.length
    for (const append of this.#pending) if (append.partition === partition) count += append.records.length
    return BigInt(count)
  }

  async discardBefore(partition: number, offset: bigint): Promise<void> {
    const count = Number(offset) - this.starts[partition]!
    this.synced[partition]!.splice(0, count)
    this.starts[partition]! += count
  }

  /** From now on appends wait. */
  hold(): void {
    this.#isHeld = true
  }

  /** Syncs what waits, and whatever comes. */
  release(): void {
    this.#isHeld = false
    for (const append of this.#pending.splice(0)) {
      this.synced[append.partition]!.push(...append.records)
      append.resolve()
    }
  }

  /** Fails what waits, and whatever comes, until `heal`. */
  fail(error: Error): void {
    this.#failure = error
    this.#isHeld = false
    for (const append of this.#pending.splice(0)) append.reject(error)
  }

  heal(): void {
    this.#failure = undefined
  }

  /** What a new process finds: what is synced and nothing else. */
  afterCrash(): MemoryStateTopic {
    const topic = new MemoryStateTopic(this.partitionCount)
    this.synced.forEach((records, partition) => topic.synced[partition]!.push(...records))
    this.starts.forEach((start, partition) => (topic.starts[partition] = start))
    return topic
  }
}
