import { hold } from '../hold.ts'
import type { World } from '../world.ts'

/** What is known of a VLSN topic, its view and its partitions, by all of a world who write and read it. */
export class VlsnLedger {
  readonly topic = 'numbered'
  readonly view = 'numbered.vlsn'
  readonly partitionCount: number
  readonly gapTimeoutMs: number
  isMade = false
  /** What was ever sent. */
  readonly #sent = new Map<bigint, string>()
  /** What was answered with success. */
  readonly #acknowledged = new Set<bigint>()
  /** What a reader of the view has passed: a value, or nothing. */
  readonly #seen = new Map<bigint, string | undefined>()
  /** The VLSNs of each partition, by offset. */
  readonly #logs: bigint[][]
  #end = 0n

  constructor({ random }: Pick<World, 'random'>) {
    this.partitionCount = 1 + random.below(5)
    this.gapTimeoutMs = 200 + random.below(2_000)
    this.#logs = Array.from({ length: this.partitionCount }, () => [])
  }

  /** The end of the view that anybody was told. */
  get end(): bigint {
    return this.#end
  }

  partitionOf(vlsn: bigint): number {
    return Number(vlsn % BigInt(this.partitionCount))
  }

  sent(vlsn: bigint, value: string): void {
    this.#sent.set(vlsn, value)
  }

  acknowledged(vlsn: bigint): void {
    this.#acknowledged.add(vlsn)
    this.#holdKept(vlsn)
  }

  /** A record alone in its batch was refused for good: it is not there, and never comes. */
  refused(vlsn: bigint): void {
    hold(
      !this.#acknowledged.has(vlsn) && this.#seen.get(vlsn) === undefined,
      () => `VLSN ${vlsn} was refused, and is there`,
    )
    this.#seen.set(vlsn, undefined)
  }

  #holdKept(vlsn: bigint): void {
    const isPassed = this.#acknowledged.has(vlsn) && this.#seen.has(vlsn)
    hold(
      !isPassed || this.#seen.get(vlsn) !== undefined,
      () => `VLSN ${vlsn} was acknowledged, and a reader of the view has passed it by`,
    )
  }

  /** A reader of the view was given these records, all that there are from `from` to the last of them; gives where it goes on. */
  read(from: bigint, records: readonly (readonly [vlsn: bigint, value: string])[]): bigint {
    let next = from
    for (const [vlsn, value] of records) {
      hold(vlsn >= next, () => `the view goes on at ${vlsn} where it was read up to ${next}`)
      for (; next < vlsn; next++) this.#see(next, undefined)
      hold(this.#sent.get(vlsn) === value, () => `the view has ${value} for ${vlsn}, which nobody wrote`)
      this.#see(vlsn, value)
      next = vlsn + 1n
    }
    return next
  }

  #see(vlsn: bigint, value: string | undefined): void {
    hold(
      !this.#seen.has(vlsn) || this.#seen.get(vlsn) === value,
      () => `VLSN ${vlsn} was ${this.#seen.get(vlsn) ?? 'missing'}, and is ${value ?? 'missing'} now`,
    )
    this.#seen.set(vlsn, value)
    this.#holdKept(vlsn)
  }

  /** Somebody is told that the view ends here; `isLast` if that was asked after everything told before. */
  told(end: bigint, isLast = false): void {
    hold(!isLast || end >= this.#end, () => `the view ends at ${end} after ${this.#end}`)
    if (end > this.#end) this.#end = end
  }

  /** A reader of a partition was given a record. */
  readPartition(partition: number, offset: bigint, vlsn: bigint): void {
    const log = this.#logs[partition]!
    const known = log[Number(offset)]
    hold(
      known === undefined || known === vlsn,
      () => `${this.topic}-${partition}@${offset} was ${known}, and is ${vlsn} now`,
    )
    hold(this.partitionOf(vlsn) === partition, () => `VLSN ${vlsn} lies in partition ${partition}`)
    log[Number(offset)] = vlsn
  }

  /** The VLSNs of a partition, in the order of their offsets, as far as somebody has read them. */
  log(partition: number): readonly bigint[] {
    return this.#logs[partition]!
  }

  /**
   * Holds all of the partitions, and all of the view that was read after it had come to `end`, against what was promised. No client is
   * at work; but the broker may have closed a gap meanwhile, so that the view has gone on: up to the last record it has shown, none may
   * be missing.
   */
  verify(view: readonly bigint[], end: bigint): void {
    const last = view.at(-1)
    const readTo = last !== undefined && last >= end ? last + 1n : end
    const stored = this.#logs.flat().filter(vlsn => vlsn < readTo)
    const sorted = stored.toSorted((a, b) => (a < b ? -1 : 1))
    hold(
      sorted.length === view.length && sorted.every((vlsn, index) => vlsn === view[index]),
      () => `the view has ${view}, and the partitions have ${sorted}`,
    )
    const all = new Set(this.#logs.flat())
    for (const vlsn of this.#acknowledged)
      hold(all.has(vlsn), () => `VLSN ${vlsn} was acknowledged, and is lost`)
  }
}

const ledgers = new WeakMap<World, VlsnLedger>()

/** The one VLSN topic of a world. */
export function vlsnLedgerOf(world: World): VlsnLedger {
  let ledger = ledgers.get(world)
  if (!ledger) ledgers.set(world, (ledger = new VlsnLedger(world)))
  return ledger
}
