import type {
  StateRecord,
  StateTopic,
  StateVisitor,
  TransactionalProducer,
  TransactionEnd,
} from '../../src/coordination/state-topic.ts'

/** A record with the producer in whose transaction it is, or the end of a transaction. */
export type MemoryEntry =
  | (StateRecord & { readonly producerId?: bigint | undefined })
  | { readonly end: TransactionEnd }

interface Append {
  readonly partition: number
  readonly entries: readonly MemoryEntry[]
  readonly done: Promise<void>
  resolve(): void
  reject(error: Error): void
}

/** A coordinator's topic in memory. Appends are synced at once, or, while it is held, when the test says so. */
export class MemoryStateTopic implements StateTopic {
  readonly partitionCount: number
  /** What is synced, by partition. */
  readonly synced: MemoryEntry[][]
  /** The offset of the first entry that is there, by partition. */
  readonly starts: number[]
  /** The number of appends so far. */
  appendCount = 0
  /** The leader epoch of every partition. */
  epoch = 0
  #pending: Append[] = []
  #isHeld = false
  #failure: Error | undefined

  constructor(partitionCount = 4) {
    this.partitionCount = partitionCount
    this.synced = Array.from({ length: partitionCount }, () => [])
    this.starts = this.synced.map(() => 0)
  }

  append(
    partition: number,
    records: readonly StateRecord[],
    producer?: TransactionalProducer,
  ): Promise<void> {
    return this.#append(
      partition,
      records.map(record => ({ ...record, producerId: producer?.producerId })),
    )
  }

  endTransaction(partition: number, end: TransactionEnd): Promise<void> {
    return this.#append(partition, [{ end }])
  }

  leaderEpoch(): number {
    return this.epoch
  }

  #append(partition: number, entries: readonly MemoryEntry[]): Promise<void> {
    this.appendCount++
    if (this.#failure) return Promise.reject(this.#failure)
    let resolve!: () => void
    let reject!: (error: Error) => void
    const done = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]))
    this.#pending.push({ partition, entries, done, resolve, reject })
    if (!this.#isHeld) this.release()
    return done
  }

  async lastPending(partition: number): Promise<void> {
    await this.#pending.findLast(append => append.partition === partition)?.done
  }

  async replay(partition: number, visitor: StateVisitor): Promise<void> {
    for (const entry of this.synced[partition]!) {
      if ('end' in entry) {
        visitor.replayEnd?.(entry.end.producerId, entry.end.type)
        continue
      }
      // Lent bytes only: whoever keeps a view sees zeros later.
      const [lentKey, lentValue] = [Buffer.from(entry.key), entry.value && Buffer.from(entry.value)]
      visitor.replay(lentKey, lentValue, entry.producerId)
      lentKey.fill(0)
      lentValue?.fill(0)
    }
  }

  /** What is synced of a partition, ends of transactions aside. */
  recordsOf(partition: number): StateRecord[] {
    return this.synced[partition]!.filter(entry => 'key' in entry)
  }

  /** Records under way are counted. */
  endOffset(partition: number): bigint {
    let count = this.starts[partition]! + this.synced[partition]!.length
    for (const append of this.#pending) if (append.partition === partition) count += append.entries.length
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
      this.synced[append.partition]!.push(...append.entries)
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
    topic.epoch = this.epoch + 1
    this.synced.forEach((entries, partition) => topic.synced[partition]!.push(...entries))
    this.starts.forEach((start, partition) => (topic.starts[partition] = start))
    return topic
  }
}
