import { hold } from '../hold.ts'
import type { VlsnLedger } from './vlsn-ledger.ts'

export const strategies = ['per_partition', 'vlsn', 'hybrid'] as const
export type StrategyName = (typeof strategies)[number]

/** Where a group is told to go on: the offset of each partition, and the number; -1 for none. */
export interface Told {
  readonly offsets: readonly bigint[]
  readonly number: bigint
}

/** What a group was promised that reads the partitions of a VLSN topic and commits their offsets, under one strategy after another. */
export class VlsnGroupLedger {
  readonly groupId: string
  readonly #topic: VlsnLedger
  /** The greatest offset that was sent as a commit, by partition. */
  readonly #attempted: bigint[]
  /** The last offset that was answered with success, where nothing was sent since. */
  readonly #acknowledged: (bigint | undefined)[]
  /** The greatest number that the group was told, unless it has lowered it since. */
  #number = -1n
  /** The number is not below this: all partitions were committed that far. */
  #numberLeast = -1n

  constructor(groupId: string, topic: VlsnLedger) {
    this.groupId = groupId
    this.#topic = topic
    this.#attempted = Array.from({ length: topic.partitionCount }, () => -1n)
    this.#acknowledged = Array.from({ length: topic.partitionCount }, () => undefined)
  }

  attempt(offsets: ReadonlyMap<number, bigint>): void {
    for (const [partition, offset] of offsets) {
      if (offset > this.#attempted[partition]!) this.#attempted[partition] = offset
      this.#acknowledged[partition] = undefined
      this.#lower(this.#openBehind(partition, offset))
    }
  }

  /** Who was told to read again commits again, which may be lower than what the number has taken into account by then. */
  #lower(open: bigint): void {
    if (open < this.#number) this.#number = open
    if (open < this.#numberLeast) this.#numberLeast = open
  }

  /** The least VLSN that may be open in a partition that is committed to this offset: one stride behind the last that is. */
  #openBehind(partition: number, offset: bigint): bigint {
    return offset === 0n
      ? 0n
      : this.#topic.log(partition)[Number(offset) - 1]! + BigInt(this.#topic.partitionCount)
  }

  /** From now on what was committed above the number may be forgotten. */
  folds(): void {
    this.#acknowledged.fill(undefined)
  }

  /** The commit was answered with success; `end` is where the view was known to end when it was sent. */
  committed(offsets: ReadonlyMap<number, bigint>, strategy: StrategyName, end: bigint): void {
    if (strategy !== 'vlsn') for (const [partition, offset] of offsets) this.#acknowledged[partition] = offset
    if (strategy === 'per_partition' || offsets.size < this.#topic.partitionCount) return
    let least = end
    for (const [partition, offset] of offsets) {
      const open = this.#openBehind(partition, offset)
      if (open < least) least = open
    }
    this.#numberLeast = least
  }

  /** What the group is told, under this strategy; undefined where it may be either of two. */
  check({ offsets, number }: Told, strategy: StrategyName | undefined): void {
    for (const [partition, offset] of offsets.entries()) {
      const attempted = this.#attempted[partition]!
      hold(
        offset <= (attempted < 0n ? 0n : attempted),
        () =>
          `${this.#name(partition)} is told to go on at ${offset}, and has committed ${attempted}: some are skipped`,
      )
      const least = this.#acknowledged[partition]
      const isExact = strategy === 'per_partition' || strategy === 'hybrid'
      hold(
        !isExact || least === undefined || offset >= least,
        () => `${this.#name(partition)} is told to go on at ${offset} after ${least} was acknowledged`,
      )
      const log = this.#topic.log(partition)
      if (strategy !== 'vlsn' || number < 0n) continue
      const repeated = log.slice(Number(offset)).find(vlsn => vlsn !== undefined && vlsn < number)
      hold(repeated === undefined, () => `${this.#name(partition)} goes on at ${repeated}, below ${number}`)
    }
    if (strategy === undefined || strategy === 'per_partition') return
    this.#checkNumber(number)
  }

  #checkNumber(number: bigint): void {
    for (const [partition, attempted] of this.#attempted.entries()) {
      const open = this.#topic.log(partition).slice(Math.max(0, Number(attempted)))
      const skipped = open.find(vlsn => vlsn !== undefined && vlsn < number)
      hold(
        skipped === undefined,
        () =>
          `${this.groupId} has the number ${number}, and ${this.#name(partition)} has not committed ${skipped}`,
      )
    }
    hold(number >= this.#number, () => `${this.groupId} has the number ${number} after ${this.#number}`)
    hold(
      number >= this.#numberLeast,
      () =>
        `${this.groupId} has the number ${number}, and has committed everything below ${this.#numberLeast}`,
    )
    this.#number = number
  }

  #name(partition: number): string {
    return `partition ${partition} of ${this.groupId}`
  }
}
