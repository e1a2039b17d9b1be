/**
 * Metadata. Behaviour: brokers by the addresses of the listener that was asked, topics by name or id or all of them;
 * what is not there is made when both the broker and the request allow it, and is usable when the answer leaves.
 *
 * Versions: 0 takes an empty list for all topics, later ones null; auto-creation can be declined from 4; leader epochs
 * from 7 (KIP-320); topic ids from 10 (KIP-516), asked for by id from 12.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import { clusterOperations, noOperations, topicOperations } from '../authorized-operations.ts'
import { autoCreate } from '../auto-create.ts'
import { isInternalTopic, type ReadableTopic } from '../catalog.ts'
import { brokersOf } from '../cluster.ts'
import type { Context } from '../context.ts'
import { noTopicId } from '../partitions.ts'

type TopicAnswer = Draft<typeof MetadataResponse>['topics'][number]
type Asked = NonNullable<MetadataRequest['topics']>[number]

export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  request: MetadataRequest,
  response: MetadataResponse,

  async handle(request, context) {
    const { catalog, settings, version } = context
    const isAll = request.topics === null || (version === 0 && request.topics.length === 0)
    const operations = request.includeTopicAuthorizedOperations ? topicOperations : noOperations
    const topics: TopicAnswer[] = []
    if (isAll) {
      for (const topic of catalog.readables()) topics.push(found(topic, context, operations))
    } else {
      for (const asked of distinct(request.topics!, version))
        topics.push(await find(asked, request, context, operations))
    }
    return {
      brokers: brokersOf(context),
      clusterId: catalog.clusterId,
      controllerId: settings.get('node.id'),
      topics,
      // Versions 8 to 10; afterwards DescribeCluster tells (KIP-700). librdkafka asks here to this day.
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? clusterOperations
        : noOperations,
      errorCode: errorCodes.NONE,
    }
  },

  refuse: (request, errorCode) => ({
    brokers: [],
    // Before version 12 an answer cannot be without a name.
    topics: (request.topics ?? []).map(({ name, topicId }) => missing(name ?? '', topicId, errorCode)),
    errorCode,
  }),
})

/** Each topic once; where some are named by id, only those are, and by nothing else (KafkaApis.handleTopicMetadataRequest). */
function distinct(topics: readonly Asked[], version: number): Asked[] {
  if (version < 12 && topics.some(({ name, topicId }) => name === null || topicId !== noTopicId))
    throw new KafkaError('INVALID_REQUEST')
  const ids = new Set(topics.map(({ topicId }) => topicId))
  ids.delete(noTopicId)
  if (ids.size > 0) return [...ids].map(topicId => ({ name: null, topicId }))
  return [...new Set(topics.map(({ name }) => name))].map(name => ({ name, topicId: noTopicId }))
}

async function find(
  asked: Asked,
  request: MetadataRequest,
  context: Context,
  operations: number,
): Promise<TopicAnswer> {
  const { name, topicId } = asked
  if (topicId !== noTopicId) {
    const topic = context.catalog.readableById(topicId)
    return topic ? found(topic, context, operations) : missing(null, topicId, errorCodes.UNKNOWN_TOPIC_ID)
  }
  if (name === null) return missing(null, topicId, errorCodes.INVALID_REQUEST)
  const topic = context.catalog.readable(name)
  if (topic) return found(topic, context, operations)
  try {
    return found(await autoCreate(name, request.allowAutoTopicCreation, context), context, operations)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return notFound(name, error.code, operations)
  }
}

function found(topic: ReadableTopic, { settings }: Context, topicAuthorizedOperations: number): TopicAnswer {
  const nodeId = settings.get('node.id')
  return {
    errorCode: errorCodes.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map(({ leaderEpoch }, partitionIndex) => ({
      errorCode: errorCodes.NONE,
      partitionIndex,
      leaderId: nodeId,
      leaderEpoch,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations,
  }
}

/** Kafka says of a name what it is and what may be done with it, there or not. */
function notFound(name: string, errorCode: number, operations: number): TopicAnswer {
  return {
    ...missing(name, noTopicId, errorCode),
    isInternal: isInternalTopic(name),
    topicAuthorizedOperations: operations,
  }
}

function missing(name: string | null, topicId: string, errorCode: number): TopicAnswer {
  return { errorCode, name, topicId, partitions: [] }
}
