import {
  noPartitions,
  topicPartitions,
  type TopicPartitionList,
  type TopicPartitions,
} from './topic-partitions.ts'

/** Who is to read what in the end, as of an epoch of the group (KIP-848): what the records of a target assignment say. */
export class TargetAssignment {
  /** The group epoch that it was computed for; 0 before there was any. */
  epoch = 0
  /** When it was computed, in milliseconds of the wall clock; 0 where that is not known. */
  timestampMs = 0
  readonly #members = new Map<string, TopicPartitions>()
  /** Member ids by `topicId partition`. */
  readonly #owners = new Map<string, string>()

  /** What a member is to have. */
  of(memberId: string): TopicPartitions {
    return this.#members.get(memberId) ?? noPartitions
  }

  has(memberId: string): boolean {
    return this.#members.has(memberId)
  }

  memberIds(): Iterable<string> {
    return this.#members.keys()
  }

  /** Who is to have a partition. */
  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(`${topicId} ${partition}`)
  }

  /** Applies a TargetAssignmentMetadata record. */
  replay(value: { readonly assignmentEpoch: number; readonly assignmentTimestamp: bigint }): void {
    this.epoch = value.assignmentEpoch
    this.timestampMs = Number(value.assignmentTimestamp)
  }

  /** Applies a TargetAssignmentMember record; null takes the member out. */
  replayMember(
    memberId: string,
    value: { readonly topicPartitions: readonly TopicPartitionList[] } | null,
  ): void {
    for (const [topicId, partitions] of this.of(memberId)) {
      for (const partition of partitions) {
        // Another member's record may have come first.
        if (this.ownerOf(topicId, partition) === memberId) this.#owners.delete(`${topicId} ${partition}`)
      }
    }
    if (value === null) {
      this.#members.delete(memberId)
      return
    }
    const assigned = topicPartitions(value.topicPartitions)
    this.#members.set(memberId, assigned)
    for (const [topicId, partitions] of assigned) {
      for (const partition of partitions) this.#owners.set(`${topicId} ${partition}`, memberId)
    }
  }
}
