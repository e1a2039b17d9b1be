/** Partitions of topics, each once. */
export class TopicPartitions {
  readonly #topics = new Map<string, Set<number>>()

  static of(list: Iterable<readonly [topic: string, partitions: Iterable<number>]>): TopicPartitions {
    const partitions = new TopicPartitions()
    for (const [topic, indexes] of list) for (const index of indexes) partitions.add(topic, index)
    return partitions
  }

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  has(topic: string, partition: number): boolean {
    return this.#topics.get(topic)?.has(partition) === true
  }

  add(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    if (partitions) partitions.add(partition)
    else this.#topics.set(topic, new Set([partition]))
  }

  /** Whether all of `others` are in here. */
  includes(others: TopicPartitions): boolean {
    for (const [topic, partitions] of others.byTopic()) {
      for (const partition of partitions) if (!this.has(topic, partition)) return false
    }
    return true
  }

  /** These and `others`, as partitions of their own. */
  with(others: TopicPartitions): TopicPartitions {
    return TopicPartitions.of([...this.#topics, ...others.#topics])
  }

  byTopic(): Iterable<readonly [topic: string, partitions: ReadonlySet<number>]> {
    return this.#topics
  }
}
