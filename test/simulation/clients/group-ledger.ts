import { hold } from '../hold.ts'

export const partitionCount = 6

/** What a group was promised. Commits carry rising numbers as their offsets, one number for all partitions of a commit. */
export class GroupLedger {
  readonly groupId: string
  readonly topic: string
  readonly #attempts = new Map<number, readonly number[]>()
  readonly #acknowledged = new Map<number, number>()
  readonly #owners = new Map<string, string>()
  #numberNext = 1
  #generationSynced = -1

  constructor(groupId: string) {
    this.groupId = groupId
    this.topic = `${groupId}-work`
  }

  get isUsed(): boolean {
    return this.#attempts.size > 0
  }

  /** A synced generation is on disk, and never comes again for others. */
  joined(generationId: number): void {
    hold(
      generationId >= this.#generationSynced,
      () => `${this.groupId} went back from generation ${this.#generationSynced} to ${generationId}`,
    )
  }

  synced(generationId: number, memberId: string, partitions: readonly number[]): void {
    this.#generationSynced = Math.max(this.#generationSynced, generationId)
    for (const partition of partitions) {
      const key = `${generationId}/${partition}`
      const owner = this.#owners.get(key) ?? memberId
      hold(
        owner === memberId,
        () => `partition ${partition} of ${this.groupId} has two owners in generation ${generationId}`,
      )
      this.#owners.set(key, owner)
    }
  }

  /** Somebody is about to commit; returns the number. */
  attempt(partitions: readonly number[]): number {
    this.#attempts.set(this.#numberNext, partitions)
    return this.#numberNext++
  }

  committed(number: number): void {
    for (const partition of this.#attempts.get(number)!) {
      this.#acknowledged.set(partition, Math.max(number, this.#acknowledged.get(partition) ?? 0))
    }
  }

  /** A partition's commit as somebody was told. */
  check(partition: number, offset: bigint): void {
    const number = Number(offset)
    const least = this.#acknowledged.get(partition) ?? -1
    hold(
      number >= least,
      () => `${this.groupId} has ${number} for partition ${partition} after ${least} was acknowledged`,
    )
    hold(
      number < 0 || this.#attempts.get(number)?.includes(partition) === true,
      () => `${this.groupId} has ${number} for partition ${partition}, which nobody committed`,
    )
  }

  /** Holds all commits, while nobody commits, against what was promised: each is there as a whole or not at all. */
  verify(found: ReadonlyMap<number, bigint>): void {
    for (const [partition, offset] of found) this.check(partition, offset)
    for (const [partition, offset] of found) {
      for (const other of this.#attempts.get(Number(offset)) ?? []) {
        hold(
          found.get(other)! >= offset,
          () => `${this.groupId} has ${offset} for partition ${partition}, and not for ${other}`,
        )
      }
    }
  }
}
