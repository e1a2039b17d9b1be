import type { TopicPartitions } from './topic-partitions.ts'

/** Who has which partition: one member each. */
export class PartitionOwners {
  readonly #topics = new Map<string, Map<number, string>>()

  of(topicId: string, partition: number): string | undefined {
    return this.#topics.get(topicId)?.get(partition)
  }

  /** Gives partitions to a member, whoever had them before. */
  add(memberId: string, partitions: TopicPartitions): void {
    for (const [topicId, ofTopic] of partitions) {
      let owners = this.#topics.get(topicId)
      if (!owners) this.#topics.set(topicId, (owners = new Map()))
      for (const partition of ofTopic.keys()) owners.set(partition, memberId)
    }
  }

  /** Takes partitions from a member; what another one has been given meanwhile stays with it. */
  remove(memberId: string, partitions: TopicPartitions): void {
    for (const [topicId, ofTopic] of partitions) {
      const owners = this.#topics.get(topicId)
      if (!owners) continue
      for (const partition of ofTopic.keys()) if (owners.get(partition) === memberId) owners.delete(partition)
      if (owners.size === 0) this.#topics.delete(topicId)
    }
  }
}
