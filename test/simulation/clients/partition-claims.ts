import { hold } from '../hold.ts'

/** A member that works on partitions, from when it was told to until it says that it does not, or hears that it is fenced. */
export class Claimant {
  readonly name: string
  readonly partitions = new Set<number>()
  /** Somebody else was given something that this one works on: the broker has fenced it, whether it knows or not. */
  isDeposed = false

  constructor(name: string) {
    this.name = name
  }
}

/** Who works on which partition of a group, as the members see it. */
export class PartitionClaims {
  readonly #owners = new Map<number, Claimant>()

  /** The broker has told a member all that it is to work on. */
  given(claimant: Claimant, partitions: readonly number[]): void {
    for (const partition of partitions) {
      const other = this.#owners.get(partition)
      if (other && other !== claimant) other.isDeposed = true
      this.#owners.set(partition, claimant)
      claimant.partitions.add(partition)
    }
  }

  /** A member is about to say that it works on these alone. */
  keeps(claimant: Claimant, kept: ReadonlySet<number>): void {
    for (const partition of claimant.partitions) {
      if (kept.has(partition)) continue
      claimant.partitions.delete(partition)
      if (this.#owners.get(partition) === claimant) this.#owners.delete(partition)
    }
  }

  /** A member works on nothing any more, whatever it was told. */
  drops(claimant: Claimant): void {
    this.keeps(claimant, new Set())
    claimant.isDeposed = false
  }

  /** Holds a request that succeeded against what its sender was when it sent it: a fenced one is never heard again. */
  accepted(what: string, claimant: Claimant, wasDeposed: boolean): void {
    hold(
      !wasDeposed,
      () => `${what} of ${claimant.name} was accepted after another member was given what it works on`,
    )
  }
}
