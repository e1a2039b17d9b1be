import { PartitionOwners } from './partition-owners.ts'
import {
  noPartitions,
  topicPartitions,
  type TopicPartitionList,
  type TopicPartitions,
} from './topic-partitions.ts'

/** Groups of the newer types begin in this epoch, and so do their targets (Kafka's ModernGroup). */
export const initialEpoch = 1

/** Who is to read what in the end, as of an epoch of the group (KIP-848): what the records of a target assignment say. */
export class TargetAssignment {
  /** The group epoch that it was computed for. */
  epoch = initialEpoch
  /** When it was computed, in milliseconds of the wall clock; 0 where that is not known. */
  timestampMs = 0
  readonly #members = new Map<string, TopicPartitions>()
  readonly #owners = new PartitionOwners()

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
    return this.#owners.of(topicId, partition)
  }

  /** Whether the next target may be computed: `intervalMs` after the last (`consumer.assignment.interval.ms` and its like). */
  isDue(nowMs: number, intervalMs: number): boolean {
    return this.timestampMs === 0 || intervalMs === 0 || nowMs >= this.timestampMs + intervalMs
  }

  /** Applies a TargetAssignmentMetadata record; null says that there is no target. */
  replay(value: { readonly assignmentEpoch: number; readonly assignmentTimestamp: bigint } | null): void {
    this.epoch = value?.assignmentEpoch ?? initialEpoch
    this.timestampMs = Number(value?.assignmentTimestamp ?? 0n)
  }

  /** Applies a TargetAssignmentMember record; null takes the member out. */
  replayMember(
    memberId: string,
    value: { readonly topicPartitions: readonly TopicPartitionList[] } | null,
  ): void {
    this.#owners.remove(memberId, this.of(memberId))
    if (value === null) {
      this.#members.delete(memberId)
      return
    }
    const assigned = topicPartitions(value.topicPartitions)
    this.#members.set(memberId, assigned)
    this.#owners.add(memberId, assigned)
  }
}
