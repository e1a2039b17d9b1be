import type { AssignorInput } from '../../modern/assignor.ts'
import { addPartition, each, type TopicPartitions } from '../../modern/topic-partitions.ts'

/** A member that may have more. */
interface Unfilled {
  readonly assigned: Map<string, Set<number>>
  room: number
}

/**
 * All members read `topicIds`: each gets the same number of partitions, some one more. A member keeps what it had up to
 * that number, and those who had one more keep it first (UniformHomogeneousAssignmentBuilder).
 */
export function assignEvenly(
  { members, partitionCounts }: AssignorInput,
  topicIds: ReadonlySet<string>,
): Map<string, TopicPartitions> {
  const free = new FreePartitions(topicIds, partitionCounts)
  for (const { assigned } of members) free.takeAll(assigned)
  const least = Math.floor(free.total / members.length)
  let moreCount = free.total % members.length

  const unfilled: Unfilled[] = []
  const target = new Map<string, TopicPartitions>()
  for (const [index, { memberId, assigned }] of members.entries()) {
    let mayHaveMore = moreCount > 0
    let room = least + (mayHaveMore ? 1 : 0)
    const kept = new Map<string, Set<number>>()
    for (const [topicId, partitions] of assigned) {
      for (const partition of partitions.keys()) {
        if (!free.isOne(topicId, partition)) continue
        if (room > 0) addPartition(kept, topicId, partition)
        else free.giveBack(topicId, partition)
        if (room > 0) room--
      }
    }
    // One more is left to a later member that may have it already, as long as there are enough of those.
    if (mayHaveMore && room > 0 && members.length - index > moreCount) {
      mayHaveMore = false
      room--
    }
    if (mayHaveMore) moreCount--
    if (room > 0) unfilled.push({ assigned: kept, room })
    target.set(memberId, kept)
  }
  const rest = free.each()
  for (const { assigned, room } of unfilled) {
    for (let count = 0; count < room; count++) {
      const { value } = rest.next()
      if (value) addPartition(assigned, ...value)
    }
  }
  return target
}

/** The partitions of some topics that nobody has, topic by topic; those given back come last. */
class FreePartitions {
  readonly total: number
  readonly #partitionCounts: ReadonlyMap<string, number>
  readonly #free: ReadonlyMap<string, Set<number>>

  constructor(topicIds: ReadonlySet<string>, partitionCounts: ReadonlyMap<string, number>) {
    this.#partitionCounts = partitionCounts
    this.#free = new Map(
      Array.from(topicIds, topicId => [topicId, new Set(Array(partitionCounts.get(topicId)!).keys())]),
    )
    this.total = Array.from(topicIds, topicId => partitionCounts.get(topicId)!).reduce((a, b) => a + b, 0)
  }

  /** Whether there is such a partition, free or not. */
  isOne(topicId: string, partition: number): boolean {
    return this.#free.has(topicId) && partition < this.#partitionCounts.get(topicId)!
  }

  takeAll(taken: TopicPartitions): void {
    for (const [topicId, partitions] of taken) {
      const free = this.#free.get(topicId)
      if (free) for (const partition of partitions.keys()) free.delete(partition)
    }
  }

  giveBack(topicId: string, partition: number): void {
    this.#free.get(topicId)!.add(partition)
  }

  each(): Generator<[topicId: string, partition: number], void, void> {
    return each(this.#free)
  }
}
