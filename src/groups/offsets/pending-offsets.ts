import {
  ByPartition,
  CommittedOffsets,
  type CommittedOffset,
  type PlacedOffset,
} from './committed-offsets.ts'

/**
 * Offsets that were committed in transactions which have not ended (OffsetMetadataManager.pendingTransactionalOffsets). They count
 * once their transaction is committed, and never if it is aborted.
 */
export class PendingOffsets {
  readonly #byProducer = new Map<bigint, CommittedOffsets>()
  /** Who has an offset for a partition: they may be thousands, and so may be the partitions that are asked for. */
  readonly #producers = new ByPartition<Set<bigint>>()

  /** Notes an offset in the transaction of a producer. */
  set(producerId: bigint, group: string, topic: string, partition: number, offset: CommittedOffset): void {
    let offsets = this.#byProducer.get(producerId)
    if (!offsets) this.#byProducer.set(producerId, (offsets = new CommittedOffsets()))
    offsets.set(group, topic, partition, offset)
    const producers = this.#producers.get(group, topic, partition)
    if (producers) producers.add(producerId)
    else this.#producers.set(group, topic, partition, new Set([producerId]))
  }

  /** Whether some transaction has an offset for this partition. */
  has(group: string, topic: string, partition: number): boolean {
    return this.#producers.get(group, topic, partition) !== undefined
  }

  /** Whether some transaction has any offset of a group. */
  hasGroup(group: string): boolean {
    return this.#producers.of(group).size > 0
  }

  /** The partitions of a topic for which some transaction has an offset of the group. */
  partitionsOf(group: string, topic: string): Iterable<number> {
    return this.#producers.of(group).get(topic)?.keys() ?? []
  }

  /** Forgets an offset, in whatever transaction it is. */
  remove(group: string, topic: string, partition: number): void {
    for (const producerId of this.#producers.get(group, topic, partition) ?? []) {
      const offsets = this.#byProducer.get(producerId)!
      offsets.set(group, topic, partition, null)
      if (offsets.isEmpty) this.#byProducer.delete(producerId)
    }
    this.#producers.set(group, topic, partition, null)
  }

  /** The groups that a transaction has offsets for. */
  groupsOf(producerId: bigint): string[] {
    return Array.from(this.#byProducer.get(producerId)?.groups() ?? [])
  }

  /** Takes out the offsets of a transaction that has ended. */
  take(producerId: bigint): CommittedOffsets | undefined {
    const offsets = this.#byProducer.get(producerId)
    if (!offsets) return undefined
    this.#byProducer.delete(producerId)
    for (const { group, topic, partition } of offsets.each()) {
      const producers = this.#producers.get(group, topic, partition)!
      producers.delete(producerId)
      if (producers.size === 0) this.#producers.set(group, topic, partition, null)
    }
    return offsets
  }

  /** Every offset; one partition may have several, of different producers. */
  *each(): Generator<PlacedOffset & { readonly producerId: bigint }> {
    for (const [producerId, offsets] of this.#byProducer)
      for (const each of offsets.each()) yield { producerId, ...each }
  }
}
