import type { Assignor, AssignorMember } from '../../modern/assignor.ts'
import type { TopicPartitions } from '../../modern/topic-partitions.ts'

/**
 * The `range` assignor (RangeAssignor): of each topic every subscriber gets a run of partitions, the first ones one more where
 * it does not come out even. Members are in the order of their instance ids, then of their member ids, so that topics with as
 * many partitions and the same subscribers are split alike and can be joined.
 */
export const range: Assignor = ({ members, partitionCounts }) => {
  const ordered = [...members].sort(byName)
  const subscriberCounts = new Map<string, number>()
  for (const { topicIds } of ordered) {
    for (const topicId of topicIds) subscriberCounts.set(topicId, (subscriberCounts.get(topicId) ?? 0) + 1)
  }
  const runs = new Map(
    Array.from(subscriberCounts, ([topicId, count]) => [
      topicId,
      new Runs(partitionCounts.get(topicId)!, count),
    ]),
  )
  return new Map(ordered.map(({ memberId, topicIds }) => [memberId, takeRuns(topicIds, runs)]))
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

function takeRuns(topicIds: ReadonlySet<string>, runs: ReadonlyMap<string, Runs>): TopicPartitions {
  const taken = new Map<string, Set<number>>()
  for (const topicId of topicIds) {
    const run = runs.get(topicId)!.next()
    if (run.size > 0) taken.set(topicId, run)
  }
  return taken
}

/** The partitions of a topic, cut into runs that differ in length by one at most, the longer ones first. */
class Runs {
  readonly #shortest: number
  #longerCount: number
  #start = 0

  constructor(partitionCount: number, runCount: number) {
    this.#shortest = Math.floor(partitionCount / runCount)
    this.#longerCount = partitionCount % runCount
  }

  next(): Set<number> {
    const length = this.#shortest + (this.#longerCount-- > 0 ? 1 : 0)
    const start = this.#start
    this.#start += length
    return new Set(Array.from({ length }, (_, index) => start + index))
  }
}
