/**
 * CreateTopics. Behaviour: each topic is judged by itself, in Kafka's order of checks; those that pass are made in one change,
 * and can be produced to and fetched from when the answer leaves. Every partition lives on the nodes there are.
 *
 * Versions: defaults by -1 from 4 (KIP-464), but taken in any; the topic as made from 5 (KIP-525), topic ids from 7 (KIP-516).
 *
 * Skipped: `timeoutMs`, since nothing is left to wait for; create.topic.policy.class.name.
 */
import { randomUuid } from '../../base/random.ts'
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import type { NewTopic } from '../catalog.ts'
import { brokersOf } from '../cluster.ts'
import { describeTopic } from '../configs/describe.ts'
import { validateTopicConfigs } from '../configs/topic-config.ts'
import type { Context } from '../context.ts'
import { checkAssignment, checkPartitionCount } from '../new-partitions.ts'

type Asked = CreateTopicsRequest['topics'][number]
type TopicAnswer = Draft<typeof CreateTopicsResponse>['topics'][number]

const byDefault = -1
const clusterMetadataTopicName = '__cluster_metadata'

/** A topic that passed, with what the answer says of it besides. */
interface Creatable extends NewTopic {
  readonly replicationFactor: number
}

export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  request: CreateTopicsRequest,
  response: CreateTopicsResponse,

  async handle(request, context) {
    const judged = judge(request, context)
    const creatable = [...judged.values()].flatMap(each => (each instanceof KafkaError ? [] : each))
    const outcomes = request.validateOnly
      ? creatable.map(() => ({ id: randomUuid(context.random) }))
      : await context.catalog.createAll(creatable)
    const made = new Map(creatable.map((topic, index) => [topic.name, outcomes[index]!]))

    const topics = [...judged].map(([name, topic]): TopicAnswer => {
      if (topic instanceof KafkaError) return refused(name, topic)
      const outcome = made.get(name)!
      return outcome instanceof KafkaError ? refused(name, outcome) : found(topic, outcome.id, context)
    })
    return { topics }
  },

  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
  }),
})

/** What is to become of each name. */
function judge(request: CreateTopicsRequest, context: Context): Map<string, Creatable | KafkaError> {
  const judged = new Map<string, Creatable | KafkaError>()
  let partitionCount = 0
  for (const asked of request.topics) {
    if (judged.has(asked.name)) {
      judged.set(asked.name, new KafkaError('INVALID_REQUEST', 'Duplicate topic name.'))
      continue
    }
    try {
      const topic = check(asked, context)
      checkPartitionCount((partitionCount += topic.partitionCount))
      judged.set(asked.name, topic)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      judged.set(asked.name, error)
    }
  }
  return judged
}

/** ReplicationControlManager.createTopics and createTopic. */
function check(asked: Asked, context: Context): Creatable {
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
  { assignments, numPartitions, replicationFactor }: Asked,
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

function placed(asked: Asked, nodeIds: readonly number[], { settings }: Context): Layout {
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

function found(
  { name, partitionCount, replicationFactor, configs }: Creatable,
  topicId: string,
  { settings }: Context,
): TopicAnswer {
  const entries = describeTopic(configs, settings).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return {
    name,
    topicId,
    errorCode: errorCodes.NONE,
    errorMessage: null,
    numPartitions: partitionCount,
    replicationFactor,
    configs: entries.map(({ name, value, readOnly, configSource, isSensitive }) => ({
      name,
      value,
      readOnly,
      configSource,
      isSensitive,
    })),
  }
}

function refused(name: string, { code, message }: KafkaError): TopicAnswer {
  return { name, errorCode: code, errorMessage: message }
}
