import { KafkaError } from '../../protocol/errors.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import { status, type Status } from './status.ts'
import { sourceTopicsOf, type InternalTopic, type Subtopology, type Topology } from './topology.ts'

/** The topics as they are do not allow the application to run. */
export class TopicConfigurationError extends Error {
  override readonly name = 'TopicConfigurationError'
  readonly status: Status

  constructor(name: Parameters<typeof status>[0], detail: string) {
    super(detail)
    this.status = status(name, detail)
  }
}

/** How many partitions a topic has, or will have; undefined while nobody knows. */
export type PartitionCount = (topic: string) => number | undefined

/**
 * Decides how many partitions each internal topic of an application has (InternalTopicManager.decidePartitionCounts): a
 * repartition topic as many as the widest topic that flows into it, unless the application says; topics that are joined
 * the same; a changelog as many as its subtopology has tasks. All source topics have to be there. Throws
 * TopicConfigurationError where the topics contradict each other, KafkaError STREAMS_INVALID_TOPOLOGY where the
 * topology does itself.
 */
export function decidePartitionCounts(topology: Topology, lookup: TopicLookup): PartitionCount {
  const decided = new Map<string, number>()
  const countOf: PartitionCount = topic => lookup.partitionCount(topic) ?? decided.get(topic)
  for (const [topic, count] of repartitionCounts(topology, countOf)) decided.set(topic, count)
  const repartitionTopics = new Map(
    topology.subtopologies.flatMap(each => each.repartitionSourceTopics).map(topic => [topic.name, topic]),
  )
  for (const subtopology of topology.subtopologies) {
    for (const group of copartitionGroups(subtopology)) {
      for (const [topic, count] of copartition(group, repartitionTopics, countOf)) decided.set(topic, count)
    }
  }
  for (const subtopology of topology.subtopologies) {
    const count = taskCount(subtopology, countOf)
    for (const { name } of subtopology.stateChangelogTopics) decided.set(name, count)
  }
  return topic => decided.get(topic) ?? lookup.partitionCount(topic)
}

/** As many tasks as the widest source topic has partitions. */
export function taskCount(subtopology: Subtopology, countOf: PartitionCount): number {
  const counts = sourceTopicsOf(subtopology).map(topic => countOf(topic) ?? 0)
  if (counts.length === 0) {
    throw invalid(`No source topics found for subtopology ${subtopology.subtopologyId}`)
  }
  return greatest(counts)
}

/** RepartitionTopics: each sink is as wide as what flows into it, which may be repartitioned itself. */
function repartitionCounts({ subtopologies }: Topology, countOf: PartitionCount): Map<string, number> {
  const decided = new Map<string, number>()
  const repartitionTopics = subtopologies.flatMap(each => each.repartitionSourceTopics)
  for (const { name, partitions } of repartitionTopics) if (partitions !== 0) decided.set(name, partitions)
  const widthOf = (subtopology: Subtopology): number =>
    greatest([
      ...subtopology.repartitionSourceTopics.map(({ name }) => decided.get(name) ?? 0),
      ...subtopology.sourceTopics.map(topic => countOf(topic) ?? 0),
    ])
  let undecided = subtopologies.flatMap(subtopology =>
    subtopology.repartitionSinkTopics.map(sink => ({ sink, subtopology })),
  )
  while (undecided.length > 0) {
    const before = undecided.length
    undecided = undecided.filter(({ sink, subtopology }) => {
      if (decided.has(sink)) return false
      const width = widthOf(subtopology)
      if (width > 0) decided.set(sink, width)
      return !(width > 0)
    })
    if (undecided.length === before) {
      throw invalid(
        'Failed to compute number of partitions for all repartition topics. There may be loops in the topology that cannot be resolved.',
      )
    }
  }
  if (repartitionTopics.some(({ name }) => !decided.has(name))) {
    throw invalid(
      'Failed to compute number of partitions for all repartition topics, because a repartition source topic is never used as a sink topic.',
    )
  }
  return decided
}

/** The names behind the indexes of a subtopology's copartition groups. */
function copartitionGroups(subtopology: Subtopology): string[][] {
  const nameAt = (names: readonly string[], index: number): string => {
    const name = names[index]
    if (name === undefined) throw invalid(`Subtopology ${subtopology.subtopologyId} has no topic ${index}.`)
    return name
  }
  const repartitionNames = subtopology.repartitionSourceTopics.map(({ name }) => name)
  return subtopology.copartitionGroups.map(group => [
    ...new Set([
      ...group.sourceTopics.map(index => nameAt(subtopology.sourceTopics, index)),
      ...group.repartitionSourceTopics.map(index => nameAt(repartitionNames, index)),
    ]),
  ])
}

/** CopartitionedTopicsEnforcer: topics that are joined have the same number of partitions. */
function copartition(
  group: readonly string[],
  repartitionTopics: ReadonlyMap<string, InternalTopic>,
  countOf: PartitionCount,
): Map<string, number> {
  if (group.length === 0) return new Map()
  const countsOf = (topics: readonly string[]): Map<string, number> =>
    new Map(topics.map(topic => [topic, countOf(topic) ?? 0]))
  const internal = group.filter(topic => repartitionTopics.has(topic))
  const external = group.filter(topic => !repartitionTopics.has(topic))
  const isFixed = (topic: string): boolean => repartitionTopics.get(topic)!.partitions !== 0
  const fixed = internal.filter(isFixed)

  let count: number
  if (external.length > 0) count = sameCount(countsOf(external), countsOf(external))
  else if (fixed.length > 0) count = sameCount(countsOf(fixed), countsOf(internal))
  else count = greatest(countsOf(internal).values())

  for (const topic of fixed) {
    if (countOf(topic) === count) continue
    throw new TopicConfigurationError(
      'INCORRECTLY_PARTITIONED_TOPICS',
      `Number of partitions [${countOf(topic)}] of repartition topic [${topic}] doesn't match number of partitions [${count}] of the source topic.`,
    )
  }
  return new Map(internal.map(topic => [topic, count]))
}

/** The one count of `counts`; `shown` is what is shown when there are two. */
function sameCount(counts: ReadonlyMap<string, number>, shown: ReadonlyMap<string, number>): number {
  const [count, other] = new Set(counts.values())
  if (other === undefined) return count!
  const sorted = Array.from(shown).sort(([a], [b]) => (a < b ? -1 : 1))
  throw new TopicConfigurationError(
    'INCORRECTLY_PARTITIONED_TOPICS',
    `Following topics do not have the same number of partitions: [{${sorted.map(([topic, count]) => `${topic}=${count}`).join(', ')}}]`,
  )
}

/** As Math.max gives it, of more than a call takes arguments. */
function greatest(counts: Iterable<number>): number {
  let most = -Infinity
  for (const count of counts) most = Math.max(most, count)
  return most
}

function invalid(message: string): KafkaError {
  return new KafkaError('STREAMS_INVALID_TOPOLOGY', message)
}
