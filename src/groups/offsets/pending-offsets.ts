import { CommittedOffsets, type CommittedOffset, type PlacedOffset } from './committed-offsets.ts'

/**
 * Offsets that were committed in transactions which have not ended (OffsetMetadataManager.pendingTransactionalOffsets). They count
 * once their transaction is committed, and never if it is aborted.
 */
export class PendingOffsets {
  readonly #byProducer = new Map<bigint, CommittedOffsets>()

  /** Notes an offset in the transaction of a producer. */
  set(producerId: bigint, group: string, topic: string, partition: number, offset: CommittedOffset): void {
    let offsets = this.#byProducer.get(producerId)
    if (!offsets) this.#byProducer.set(producerId, (offsets = new CommittedOffsets()))
    offsets.set(group, topic, partition, offset)
  }

  /** Whether some transaction has an offset for this partition. */
  has(group: string, topic: string, partition: number): boolean {
    for (const offsets of this.#byProducer.values()) if (offsets.get(group, topic, partition)) return true
    return false
  }

  /** Whether some transaction has any offset of a group. */
  hasGroup(group: string): boolean {
    for (const offsets of this.#byProducer.values()) if (offsets.of(group).size > 0) return true
    return false
  }

  /** The partitions of a topic for which some transaction has an offset of the group. */
  partitionsOf(group: string, topic: string): number[] {
    return Array.from(this.#byProducer.values()).flatMap(offsets => [
      ...(offsets.of(group).get(topic)?.keys() ?? []),
    ])
  }

  /** Forgets an offset, in whatever transaction it is. */
  remove(group: string, topic: string, partition: number): void {
    for (const [producerId, offsets] of this.#byProducer) {
      offsets.set(group, topic, partition, null)
      if (offsets.isEmpty) this.#byProducer.delete(producerId)
    }
  }

  /** The groups that a transaction has offsets for. */
  groupsOf(producerId: bigint): string[] {
    return Array.from(this.#byProducer.get(producerId)?.groups() ?? [])
  }

  /** Takes out the offsets of a transaction that has ended. */
  take(producerId: bigint): CommittedOffsets | undefined {
    const offsets = this.#byProducer.get(producerId)
    this.#byProducer.delete(producerId)
    return offsets
  }

  /** Every offset; one partition may have several, of different producers. */
  *each(): Generator<PlacedOffset & { readonly producerId: bigint }> {
    for (const [producerId, offsets] of this.#byProducer)
      for (const each of offsets.each()) yield { producerId, ...each }
  }
}
