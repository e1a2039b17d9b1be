import type { OffsetCommitValue } from '../../protocol/messages/consumer-offsets-records.ts'

/** The zero UUID: a topic without an id, as in records of old and in commits with a retention of their own. */
export const noTopicId: string = 'A'.repeat(22)

/** An offset, with its record's place in the order of the log: by that it is known which of two was committed last. */
export interface CommittedOffset extends OffsetCommitValue {
  readonly order: number
}

/** An offset, and whose it is. */
export interface PlacedOffset {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: CommittedOffset
}

/** The offsets of one topic, by partition. */
export type TopicOffsets = ReadonlyMap<number, CommittedOffset>

/** What is kept for partitions, each of a group. */
export class ByPartition<Value> {
  readonly #groups = new Map<string, Map<string, Map<number, Value>>>()

  get isEmpty(): boolean {
    return this.#groups.size === 0
  }

  get(group: string, topic: string, partition: number): Value | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  /** What there is of a group, by topic and partition. */
  of(group: string): ReadonlyMap<string, ReadonlyMap<number, Value>> {
    return this.#groups.get(group) ?? none
  }

  /** The groups of which there is anything. */
  groups(): Iterable<string> {
    return this.#groups.keys()
  }

  /** Sets what is kept; null removes it. */
  set(group: string, topic: string, partition: number, value: Value | null): void {
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

/** The committed offsets of many groups. */
export class CommittedOffsets extends ByPartition<CommittedOffset> {
  /** Every offset. */
  *each(): Generator<PlacedOffset> {
    for (const group of this.groups()) {
      for (const [topic, partitions] of this.of(group)) {
        for (const [partition, offset] of partitions) yield { group, topic, partition, offset }
      }
    }
  }
}

const none: ReadonlyMap<string, ReadonlyMap<number, never>> = new Map()
