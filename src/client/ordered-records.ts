import type { Clock } from '../base/clock.ts'
import { offsetOfVlsn } from './bisection.ts'
import type { KafkaMessage } from './kafka-client.ts'
import { leastOf, PartitionCursor } from './partition-cursor.ts'
import { vlsnPartition } from './partitioners.ts'
import type { TopicReader } from './topic-reader.ts'
import { afterOf } from './vlsn-key.ts'

/**
 * The records of a topic in the order of their VLSNs, put together by the client, while they are written. It waits for a number that is
 * missing by the rules of odradek's view: until the number's partition has passed it, or the record behind it says that nothing was used
 * in between, or the time is up. But here nobody refuses what comes later still; it is passed over.
 */
export class OrderedRecords {
  readonly #cursors: readonly PartitionCursor[]
  readonly #gapTimeoutMs: number
  readonly #clock: Clock
  #next: bigint
  /** The number that is waited for, and since when (ms, monotonic). */
  #waiting: { readonly vlsn: bigint; readonly sinceMs: number } | undefined

  private constructor(
    cursors: readonly PartitionCursor[],
    next: bigint,
    { gapTimeoutMs, clock }: { gapTimeoutMs: number; clock: Clock },
  ) {
    this.#cursors = cursors
    this.#next = next
    this.#gapTimeoutMs = gapTimeoutMs
    this.#clock = clock
  }

  /** From VLSN `next` on. */
  static async from(
    next: bigint,
    reader: TopicReader,
    options: { gapTimeoutMs: number; clock: Clock },
  ): Promise<OrderedRecords> {
    const bounds = await reader.bounds()
    const cursors = await Promise.all(
      bounds.map(async (each, partition) => {
        const offset = next === 0n ? each.low : await offsetOfVlsn(reader, partition, next, each)
        return new PartitionCursor(reader, partition, offset)
      }),
    )
    return new OrderedRecords(cursors, next, options)
  }

  /** Everything below it has been read. */
  get next(): bigint {
    return this.#next
  }

  /** Where a partition's next record is, or will be. */
  positionOf(partition: number): bigint {
    return this.#cursors[partition]!.position
  }

  /** The next record; undefined where none has come for now, or none that may be read yet. It has been read once `pass` is called. */
  async look(): Promise<{ vlsn: bigint; message: KafkaMessage } | undefined> {
    let least = leastOf(this.#cursors)
    if (least?.vlsn !== this.#next) {
      await Promise.all(this.#cursors.map(cursor => cursor.fill()))
      least = this.#leastFromNextOn()
    }
    if (!least || (least.vlsn! > this.#next && !this.#isGapOver(least))) return undefined
    return { vlsn: least.vlsn!, message: least.message! }
  }

  /** Goes behind the record that `look` has given. */
  pass(): void {
    const least = leastOf(this.#cursors)!
    this.#next = least.vlsn! + 1n
    least.advance()
  }

  /** What comes too late, or twice, is passed over. */
  #leastFromNextOn(): PartitionCursor | undefined {
    for (;;) {
      const least = leastOf(this.#cursors)
      if (!least || least.vlsn! >= this.#next) return least
      least.advance()
    }
  }

  #isGapOver({ vlsn, message }: PartitionCursor): boolean {
    if (!this.#isUndecidedBefore(vlsn!)) return true
    const after = afterOf(message!)
    if (after !== undefined && after < this.#next) return true
    const nowMs = this.#clock.monotonic()
    if (this.#waiting?.vlsn !== this.#next) this.#waiting = { vlsn: this.#next, sinceMs: nowMs }
    return nowMs - this.#waiting.sinceMs >= this.#gapTimeoutMs
  }

  /** Whether a number before `vlsn` may still come: its partition has shown nothing behind it. */
  #isUndecidedBefore(vlsn: bigint): boolean {
    const count = this.#cursors.length
    for (let missing = this.#next; missing < vlsn && missing < this.#next + BigInt(count); missing++) {
      if (this.#cursors[vlsnPartition(missing, count)]!.vlsn === undefined) return true
    }
    return false
  }
}
