import type { TopicLookup } from '../topic-lookup.ts'
import { decidePartitionCounts, taskCount, TopicConfigurationError } from './partition-counts.ts'
import { status, summary, type Status } from './status.ts'
import {
  bySubtopologyId,
  requiredTopics,
  type InternalTopic,
  type Subtopology,
  type Topology,
} from './topology.ts'

/** A subtopology with numbers: how many tasks it makes, and how many partitions its internal topics have. */
export interface ConfiguredSubtopology extends Subtopology {
  readonly taskCount: number
}

/** A topology laid over the topics that there are (ConfiguredTopology). */
export interface ConfiguredTopology {
  readonly epoch: number
  /** In the order of their ids; undefined while the topics do not allow to tell. */
  readonly subtopologies: ReadonlyMap<string, ConfiguredSubtopology> | undefined
  /** The internal topics that have to be made. */
  readonly missingTopics: readonly InternalTopic[]
  /** Why the application cannot run on the topics as they are. */
  readonly fault: Status | undefined
}

/** Lays `topology` over the topics (InternalTopicManager.configureTopics). Throws KafkaError STREAMS_INVALID_TOPOLOGY. */
export function configure(topology: Topology, lookup: TopicLookup): ConfiguredTopology {
  try {
    return configureOrFail(topology, lookup)
  } catch (error) {
    if (!(error instanceof TopicConfigurationError)) throw error
    return { epoch: topology.epoch, subtopologies: undefined, missingTopics: [], fault: error.status }
  }
}

function configureOrFail(topology: Topology, lookup: TopicLookup): ConfiguredTopology {
  checkSourceTopics(topology, lookup)
  const countOf = decidePartitionCounts(topology, lookup)
  const withCount = (topic: InternalTopic): InternalTopic => ({
    ...topic,
    partitions: topic.partitions === 0 ? countOf(topic.name)! : topic.partitions,
  })
  const subtopologies = new Map(
    bySubtopologyId(topology).map(subtopology => [
      subtopology.subtopologyId,
      {
        ...subtopology,
        taskCount: taskCount(subtopology, countOf),
        repartitionSourceTopics: subtopology.repartitionSourceTopics.map(withCount),
        stateChangelogTopics: subtopology.stateChangelogTopics.map(withCount),
      },
    ]),
  )
  const missingTopics = findMissing(topology, subtopologies.values(), lookup)
  const names = missingTopics.map(({ name }) => name)
  return {
    epoch: topology.epoch,
    subtopologies,
    missingTopics,
    fault:
      names.length > 0
        ? status('MISSING_INTERNAL_TOPICS', `Internal topics are missing: ${summary(names)}`)
        : undefined,
  }
}

function checkSourceTopics({ subtopologies }: Topology, lookup: TopicLookup): void {
  const sources = new Set(subtopologies.flatMap(({ sourceTopics }) => sourceTopics))
  const missing = [...sources].filter(topic => lookup.partitionCount(topic) === undefined).sort()
  if (missing.length === 0) return
  throw new TopicConfigurationError('MISSING_SOURCE_TOPICS', `Source topics ${summary(missing)} are missing.`)
}

/** Internal topics that are there already must be as wide as they are to be. */
function findMissing(
  topology: Topology,
  subtopologies: Iterable<ConfiguredSubtopology>,
  lookup: TopicLookup,
): InternalTopic[] {
  const missing = new Map<string, InternalTopic>()
  for (const { repartitionSourceTopics, stateChangelogTopics } of subtopologies) {
    for (const topic of [...repartitionSourceTopics, ...stateChangelogTopics]) missing.set(topic.name, topic)
  }
  for (const name of requiredTopics(topology)) {
    const found = lookup.partitionCount(name)
    const expected = missing.get(name)
    if (found === undefined || expected === undefined) continue
    missing.delete(name)
    if (found === expected.partitions) continue
    throw new TopicConfigurationError(
      'INCORRECTLY_PARTITIONED_TOPICS',
      `Existing topic ${name} has different number of partitions: expected ${expected.partitions}, found ${found}`,
    )
  }
  return [...missing.values()]
}
