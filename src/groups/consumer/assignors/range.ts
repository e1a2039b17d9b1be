import type { Assignor, AssignorMember } from '../../modern/assignor.ts'
import type { TopicPartitions } from '../../modern/topic-partitions.ts'

/**
 * The `range` assignor (RangeAssignor): of each topic every subscriber gets a run of partitions, the first ones one more where
 * it does not come out even. Members are in the order of their instance ids, then of their member ids, so that topics with as
 * many partitions and the same subscribers are split alike and can be joined.
 */
export const range: Assignor = ({ members, partitionCounts }) => {
  const ordered = [...members].sort(byName)
  // Members mostly read the same: then their topics are the same set, and gone through once.
  const readerCounts = new Map<ReadonlySet<string>, number>()
  for (const { topicIds } of ordered) readerCounts.set(topicIds, (readerCounts.get(topicIds) ?? 0) + 1)
  const subscriberCounts = new Map<string, number>()
  for (const [topicIds, count] of readerCounts) {
    for (const topicId of topicIds)
      subscriberCounts.set(topicId, (subscriberCounts.get(topicId) ?? 0) + count)
  }
  const runs = new Map(
    Array.from(subscriberCounts, ([topicId, count]) => [
      topicId,
      new Runs(topicId, partitionCounts.get(topicId)!, count),
    ]),
  )
  const left = new Map<ReadonlySet<string>, readonly Runs[]>()
  const take = (topicIds: ReadonlySet<string>): TopicPartitions => {
    const all = left.get(topicIds) ?? Array.from(topicIds, topicId => runs.get(topicId)!)
    const open = all.filter(({ isOver }) => !isOver)
    left.set(topicIds, open)
    return new Map(open.map(run => [run.topicId, run.next()]))
  }
  return new Map(ordered.map(({ memberId, topicIds }) => [memberId, take(topicIds)]))
}

function byName(left: AssignorMember, right: AssignorMember): number {
  if (left.instanceId !== null && right.instanceId !== null) return compare(left.instanceId, right.instanceId)
  if (left.instanceId !== null) return -1
  if (right.instanceId !== null) return 1
  return compare(left.memberId, right.memberId)
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** The partitions of a topic, cut into runs that differ in length by one at most, the longer ones first. */
class Runs {
  readonly topicId: string
  readonly #partitionCount: number
  readonly #shortest: number
  #longerCount: number
  #start = 0

  constructor(topicId: string, partitionCount: number, runCount: number) {
    this.topicId = topicId
    this.#partitionCount = partitionCount
    this.#shortest = Math.floor(partitionCount / runCount)
    this.#longerCount = partitionCount % runCount
  }

  /** Nothing is left for those who come last. */
  get isOver(): boolean {
    return this.#start === this.#partitionCount
  }

  next(): Set<number> {
    const length = this.#shortest + (this.#longerCount-- > 0 ? 1 : 0)
    const start = this.#start
    this.#start += length
    return new Set(Array.from({ length }, (_, index) => start + index))
  }
}
