import type { OffsetCommitValue } from '../../protocol/messages/consumer-offsets-records.ts'

/** The zero UUID: a topic without an id, as in records of old and in commits with a retention of their own. */
export const noTopicId: string = 'A'.repeat(22)

/** The offsets of one topic, by partition. */
export type TopicOffsets = ReadonlyMap<number, OffsetCommitValue>

/** The committed offsets of many groups. */
export class CommittedOffsets {
  readonly #groups = new Map<string, Map<string, Map<number, OffsetCommitValue>>>()

  get(group: string, topic: string, partition: number): OffsetCommitValue | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  /** The offsets of a group, by topic. */
  of(group: string): ReadonlyMap<string, TopicOffsets> {
    return this.#groups.get(group) ?? none
  }

  /** The groups that have offsets. */
  groups(): Iterable<string> {
    return this.#groups.keys()
  }

  /** Sets an offset; null removes it. */
  set(group: string, topic: string, partition: number, value: OffsetCommitValue | null): void {
    if (value === null) return this.#remove(group, topic, partition)
    let topics = this.#groups.get(group)
    if (!topics) this.#groups.set(group, (topics = new Map()))
    let partitions = topics.get(topic)
    if (!partitions) topics.set(topic, (partitions = new Map()))
    partitions.set(partition, value)
  }

  #remove(group: string, topic: string, partition: number): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) topics?.delete(topic)
    if (topics?.size === 0) this.#groups.delete(group)
  }
}

const none: ReadonlyMap<string, TopicOffsets> = new Map()
