/** Partitions of one topic, with or without something said of each: a set, or a map by partition. */
export interface Partitions {
  readonly size: number
  has(partition: number): boolean
  keys(): Iterable<number>
}

/** Partitions by the id of their topic, as targets and members of the newer groups have them. No topic is there without a partition. */
export type TopicPartitions = ReadonlyMap<string, Partitions>

/** As records and messages carry them. */
export interface TopicPartitionList {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const noPartitions: TopicPartitions = new Map()

/** Reads a list. A topic that is named twice is one topic. */
export function topicPartitions(list: readonly TopicPartitionList[]): TopicPartitions {
  const read = new Map<string, Set<number>>()
  for (const { topicId, partitions } of list)
    for (const partition of partitions) addPartition(read, topicId, partition)
  return read
}

/** As a list, partitions ascending. */
export function listed(all: TopicPartitions): { topicId: string; partitions: number[] }[] {
  return Array.from(all, ([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions.keys()].sort((a, b) => a - b),
  }))
}

export function addPartition(to: Map<string, Set<number>>, topicId: string, partition: number): void {
  let partitions = to.get(topicId)
  if (!partitions) to.set(topicId, (partitions = new Set()))
  partitions.add(partition)
}

export function hasPartition(all: TopicPartitions, topicId: string, partition: number): boolean {
  return all.get(topicId)?.has(partition) ?? false
}

/** How many partitions there are, of all topics. */
export function countOf(all: TopicPartitions): number {
  let count = 0
  for (const partitions of all.values()) count += partitions.size
  return count
}

/** Every partition by itself. */
export function* each(all: TopicPartitions): Generator<[topicId: string, partition: number], void, void> {
  for (const [topicId, partitions] of all)
    for (const partition of partitions.keys()) yield [topicId, partition]
}

/** Whether `part` has nothing that `all` has not. */
export function isWithin(part: TopicPartitions, all: TopicPartitions): boolean {
  for (const [topicId, partitions] of part) {
    const others = all.get(topicId)
    if (!others) return false
    for (const partition of partitions.keys()) if (!others.has(partition)) return false
  }
  return true
}

export function areSame(left: TopicPartitions, right: TopicPartitions): boolean {
  return countOf(left) === countOf(right) && isWithin(left, right)
}
