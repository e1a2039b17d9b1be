/**
 * DeleteRecords. Behaviour: moves the start of partitions up, for good, and answers where they begin now. Neither internal topics
 * nor those that are only compacted allow it, as in Kafka (Partition.deleteRecordsOnLeader).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts'
import type { PartitionLog } from '../../storage/partition-log.ts'
import { api } from '../api.ts'
import { TopicConfig } from '../configs/topic-config.ts'
import type { Context } from '../context.ts'
import { findPartition, findTopic, noTopicId } from '../partitions.ts'

const noLowWatermark = -1n
const toHighWatermark = -1n

interface Cut {
  readonly log: PartitionLog
  readonly offset: bigint
}

export const deleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: '0-2',
  request: DeleteRecordsRequest,
  response: DeleteRecordsResponse,

  async handle(request, context) {
    const topics = [...offsetsByTopic(request)].map(([name, offsets]) => ({
      name,
      partitions: [...offsets].map(([partitionIndex, offset]) => ({
        partitionIndex,
        cut: judge(name, partitionIndex, offset, context),
      })),
    }))
    const cuts = topics.flatMap(({ partitions }) => partitions.map(({ cut }) => cut))
    await context.catalog.deleteRecords(cuts.flatMap(cut => (cut instanceof KafkaError ? [] : cut)))
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, cut }) => ({ partitionIndex, ...outcomeOf(cut) })),
      })),
    }
  },

  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        lowWatermark: noLowWatermark,
        errorCode,
      })),
    })),
  }),
})

function outcomeOf(cut: Cut | KafkaError): { lowWatermark: bigint; errorCode: number } {
  if (cut instanceof KafkaError) return { lowWatermark: noLowWatermark, errorCode: cut.code }
  // The topic was deleted while this waited its turn.
  if (cut.log.isOver)
    return { lowWatermark: noLowWatermark, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION }
  return { lowWatermark: cut.log.logStartOffset, errorCode: errorCodes.NONE }
}

/** Of several offsets for one partition the last counts. */
function offsetsByTopic(request: DeleteRecordsRequest): Map<string, Map<number, bigint>> {
  const topics = new Map<string, Map<number, bigint>>()
  for (const { name, partitions } of request.topics) {
    const offsets = topics.get(name) ?? new Map<number, bigint>()
    topics.set(name, offsets)
    for (const { partitionIndex, offset } of partitions) offsets.set(partitionIndex, offset)
  }
  return topics
}

function judge(name: string, partitionIndex: number, offset: bigint, context: Context): Cut | KafkaError {
  try {
    const topic = findTopic(context.catalog, { name, topicId: noTopicId })
    const log = findPartition(topic, partitionIndex)
    if (topic.isInternal) throw new KafkaError('INVALID_TOPIC_EXCEPTION')
    const policy = new TopicConfig(topic.configs, context.settings).get('cleanup.policy')
    if (policy.includes('compact') && !policy.includes('delete')) throw new KafkaError('POLICY_VIOLATION')
    const end = log.highWatermark
    if (offset === toHighWatermark) return { log, offset: end }
    if (offset < 0n || offset > end) throw new KafkaError('OFFSET_OUT_OF_RANGE')
    return { log, offset }
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}
