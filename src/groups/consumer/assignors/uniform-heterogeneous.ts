import type { AssignorInput } from '../../modern/assignor.ts'
import { addPartition, each, type TopicPartitions } from '../../modern/topic-partitions.ts'

/** How often all topics are gone through at most: each time only evens out what the time before has left. */
const passCountMax = 16

/**
 * Members read different topics: everybody keeps what it had and still reads, what is free goes to whoever has least, and
 * then partitions move from those with most to those with least, topic by topic, until nothing more can be evened out
 * (UniformHeterogeneousAssignmentBuilder). Topics with many partitions for few readers come first.
 */
export function assignBySubscription({
  members,
  partitionCounts,
}: AssignorInput): Map<string, TopicPartitions> {
  const shares = members.map(({ memberId }) => new Share(memberId))
  const topics = new Map<string, TopicShares>()
  for (const [index, { topicIds }] of members.entries()) {
    for (const topicId of topicIds) {
      let topic = topics.get(topicId)
      if (!topic) topics.set(topicId, (topic = new TopicShares(topicId, partitionCounts.get(topicId)!)))
      topic.readers.push(shares[index]!)
    }
  }
  for (const [index, { topicIds, assigned }] of members.entries()) {
    for (const [topicId, partition] of each(assigned)) {
      const topic = topicIds.has(topicId) ? topics.get(topicId)! : undefined
      if (topic && partition < topic.owners.length) topic.give(partition, shares[index]!)
    }
  }
  const ordered = [...topics.values()].sort(byNeed)
  for (const topic of ordered) topic.giveFree()
  even(ordered.filter(({ readers }) => readers.length > 1))
  const target = new Map(shares.map(({ memberId }) => [memberId, new Map<string, Set<number>>()]))
  for (const { topicId, owners } of ordered) {
    for (const [partition, owner] of owners.entries())
      addPartition(target.get(owner!.memberId)!, topicId, partition)
  }
  return target
}

/** What one member has, of all topics. */
class Share {
  readonly memberId: string
  count = 0

  constructor(memberId: string) {
    this.memberId = memberId
  }
}

/** A topic, its readers in the order of the members, and who of them has which partition. */
class TopicShares {
  readonly topicId: string
  readonly readers: Share[] = []
  readonly owners: (Share | undefined)[]

  constructor(topicId: string, partitionCount: number) {
    this.topicId = topicId
    this.owners = Array.from({ length: partitionCount }, () => undefined)
  }

  give(partition: number, reader: Share): void {
    const before = this.owners[partition]
    if (before) before.count--
    this.owners[partition] = reader
    reader.count++
  }

  giveFree(): void {
    for (const [partition, owner] of this.owners.entries())
      if (!owner) this.give(partition, leastLoaded(this.readers))
  }

  /** Moves partitions until no two readers differ by more than one, or those who have more have none of this topic. True if any moved. */
  even(): boolean {
    const held = new Map<Share, number[]>()
    for (const [partition, owner] of this.owners.entries()) {
      const partitions = held.get(owner!)
      if (partitions) partitions.push(partition)
      else held.set(owner!, [partition])
    }
    let hasMoved = false
    for (;;) {
      const least = leastLoaded(this.readers)
      const most = mostLoaded(held)
      if (!most || most.count - least.count <= 1) return hasMoved
      const partition = held.get(most)!.pop()!
      this.give(partition, least)
      const partitions = held.get(least)
      if (partitions) partitions.push(partition)
      else held.set(least, [partition])
      hasMoved = true
    }
  }
}

function leastLoaded(readers: readonly Share[]): Share {
  let least = readers[0]!
  for (const reader of readers) if (reader.count < least.count) least = reader
  return least
}

/** Of those who have a partition that could move. */
function mostLoaded(held: ReadonlyMap<Share, readonly number[]>): Share | undefined {
  let most: Share | undefined
  for (const [share, partitions] of held) {
    if (partitions.length > 0 && (!most || share.count > most.count)) most = share
  }
  return most
}

/** Most partitions per reader first, then fewest readers. */
function byNeed(left: TopicShares, right: TopicShares): number {
  const need = ({ owners, readers }: TopicShares): number => owners.length / readers.length
  return (
    need(right) - need(left) ||
    left.readers.length - right.readers.length ||
    (left.topicId < right.topicId ? -1 : 1)
  )
}

function even(topics: readonly TopicShares[]): void {
  for (let pass = 0; pass < passCountMax; pass++) {
    let hasMoved = false
    for (const topic of topics) if (topic.even()) hasMoved = true
    if (!hasMoved) return
  }
}
