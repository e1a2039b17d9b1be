import { KafkaError } from '../protocol/errors.ts'
import type { CreateTopicsRequest } from '../protocol/messages/19-create-topics.ts'
import type { NewTopic } from './catalog.ts'
import { brokersOf } from './cluster.ts'
import { validateTopicConfigs } from './configs/topic-config.ts'
import type { Context } from './context.ts'
import { clusterMetadataTopicName } from './internal-topics.ts'
import { checkAssignment, partitionExcess, repeatedNames } from './new-partitions.ts'

/** A topic as CreateTopics asks for it; -1 for what is to be by default. */
export type AskedTopic = CreateTopicsRequest['topics'][number]

const byDefault = -1

/** A topic that passed, with what the answer says of it besides. */
export interface Creatable extends NewTopic {
  readonly replicationFactor: number
}

/**
 * What is to become of each topic that a client asks for, by name: each is judged by itself, in Kafka's order of checks, unless
 * together they are more than one request may ask for. Then none is made.
 */
export function judgeNewTopics(
  topics: readonly AskedTopic[],
  context: Context,
): Map<string, Creatable | KafkaError> {
  const repeated = repeatedNames(topics)
  const single = topics.filter(({ name }) => !repeated.has(name))
  const excess = partitionExcess(partitionTotal(single, context))
  return new Map(topics.map(asked => [asked.name, excess ?? judge(asked, repeated, context)]))
}

/** What is asked for in vain counts too (ReplicationControlManager.validateTotalNumberOfPartitions). */
function partitionTotal(topics: readonly AskedTopic[], { settings }: Context): number {
  return topics
    .filter(({ name }) => name !== clusterMetadataTopicName)
    .map(({ assignments, numPartitions }) => {
      if (assignments.length > 0) return assignments.length
      return numPartitions === byDefault ? settings.get('num.partitions') : Math.max(numPartitions, 0)
    })
    .reduce((sum, count) => sum + count, 0)
}

function judge(asked: AskedTopic, repeated: ReadonlySet<string>, context: Context): Creatable | KafkaError {
  if (repeated.has(asked.name)) return new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
  try {
    return check(asked, context)
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}

/** ReplicationControlManager.createTopics and createTopic. */
function check(asked: AskedTopic, context: Context): Creatable {
  const { name } = asked
  if (name === clusterMetadataTopicName) {
    throw new KafkaError('INVALID_REQUEST', `Creation of internal topic ${name} is prohibited.`)
  }
  context.catalog.checkNew(name)
  const configs = validateTopicConfigs(asked.configs, context.settings)
  const nodeIds = brokersOf(context).map(({ nodeId }) => nodeId)
  const layout = asked.assignments.length > 0 ? assigned(asked, nodeIds) : placed(asked, nodeIds, context)
  return { name, configs, ...layout }
}

type Layout = Pick<Creatable, 'partitionCount' | 'replicationFactor'>

function assigned(
  { assignments, numPartitions, replicationFactor }: AskedTopic,
  nodeIds: readonly number[],
): Layout {
  const given = 'A manual partition assignment was specified, but'
  if (replicationFactor !== byDefault) {
    throw new KafkaError('INVALID_REQUEST', `${given} replication factor was not set to -1.`)
  }
  if (numPartitions !== byDefault) {
    throw new KafkaError('INVALID_REQUEST', `${given} numPartitions was not set to -1.`)
  }
  const indexes = new Set<number>()
  let factor: number | undefined
  for (const { partitionIndex, brokerIds } of assignments) {
    if (indexes.has(partitionIndex)) {
      throw new KafkaError(
        'INVALID_REPLICA_ASSIGNMENT',
        `Found multiple manual partition assignments for partition ${partitionIndex}`,
      )
    }
    checkAssignment(brokerIds, factor, nodeIds)
    factor = brokerIds.length
    indexes.add(partitionIndex)
  }
  for (let index = 0; index < indexes.size; index++) {
    if (indexes.has(index)) continue
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      'partitions should be a consecutive 0-based integer sequence',
    )
  }
  return { partitionCount: indexes.size, replicationFactor: factor! }
}

function placed(asked: AskedTopic, nodeIds: readonly number[], { settings }: Context): Layout {
  const { numPartitions, replicationFactor } = asked
  if (replicationFactor < byDefault || replicationFactor === 0) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      'Replication factor must be larger than 0, or -1 to use the default value.',
    )
  }
  if (numPartitions < byDefault || numPartitions === 0) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      'Number of partitions was set to an invalid non-positive value.',
    )
  }
  const factor =
    replicationFactor === byDefault ? settings.get('default.replication.factor') : replicationFactor
  if (factor > nodeIds.length) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${factor} time(s): The target replication factor of ${factor} cannot be reached because only ${nodeIds.length} broker(s) are registered.`,
    )
  }
  const partitionCount = numPartitions === byDefault ? settings.get('num.partitions') : numPartitions
  return { partitionCount, replicationFactor: factor }
}
