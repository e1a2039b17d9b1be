/**
 * DescribeTopicPartitions (KIP-966). Behaviour: topics by name, all of them where none is named, with their partitions; page by
 * page, each no longer than both the request and `max.request.partition.size.limit` allow. Makes no topics.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/messages/75-describe-topic-partitions.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import { topicOperations } from '../authorized-operations.ts'
import { isInternalTopic, type ReadableTopic } from '../catalog.ts'
import type { Context } from '../context.ts'
import { noTopicId } from '../partitions.ts'

type Answer = Draft<typeof DescribeTopicPartitionsResponse>
type TopicAnswer = Answer['topics'][number]

export const describeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  request: DescribeTopicPartitionsRequest,
  response: DescribeTopicPartitionsResponse,

  handle(request, context) {
    const { cursor } = request
    const names = namesFrom(request, context)
    if (cursor && cursor.partitionIndex < 0) throw new KafkaError('INVALID_REQUEST')
    const most = Math.min(
      context.settings.get('max.request.partition.size.limit'),
      request.responsePartitionLimit,
    )
    return page(names, cursor, Math.max(most, 1), context)
  },

  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name }) => ({ errorCode, name, topicId: noTopicId, partitions: [] })),
  }),
})

/** The names to describe, in order, from the cursor on. */
function namesFrom({ topics, cursor }: DescribeTopicPartitionsRequest, { catalog }: Context): string[] {
  const asked = topics.length === 0 ? catalog.readables() : topics
  const names = new Set(asked.map(({ name }) => name))
  if (topics.length > 0 && cursor && !names.has(cursor.topicName)) throw new KafkaError('INVALID_REQUEST')
  return [...names].filter(name => !cursor || name >= cursor.topicName).toSorted()
}

function page(
  names: readonly string[],
  cursor: DescribeTopicPartitionsRequest['cursor'],
  partitionCountMax: number,
  context: Context,
): Answer {
  const topics: TopicAnswer[] = []
  let remaining = partitionCountMax
  for (const name of names) {
    if (remaining === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const topic = context.catalog.readable(name)
    if (!topic) {
      topics.push(missing(name, context))
      continue
    }
    const start = name === cursor?.topicName ? cursor.partitionIndex : 0
    const end = Math.min(start + remaining, topic.partitions.length)
    topics.push(found(topic, start, end, context))
    if (end < topic.partitions.length) {
      return { topics, nextCursor: { topicName: name, partitionIndex: end } }
    }
    remaining -= Math.max(end - start, 0)
  }
  return { topics, nextCursor: null }
}

function found(topic: ReadableTopic, start: number, end: number, { settings }: Context): TopicAnswer {
  const nodeId = settings.get('node.id')
  return {
    errorCode: errorCodes.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.slice(start, end).map(({ leaderEpoch }, index) => ({
      errorCode: errorCodes.NONE,
      partitionIndex: start + index,
      leaderId: nodeId,
      leaderEpoch,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: topicOperations,
  }
}

function missing(name: string, { catalog }: Context): TopicAnswer {
  const error = catalog.isLegalName(name) ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION'
  return {
    errorCode: errorCodes[error],
    name,
    topicId: noTopicId,
    isInternal: isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: topicOperations,
  }
}
