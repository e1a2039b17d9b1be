import { KafkaError } from '../protocol/errors.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { ReadablePartition } from '../storage/readable-partition.ts'
import type { Catalog, ReadableTopic, Topic } from './catalog.ts'

/** What stands for no topic id. */
export const noTopicId = 'A'.repeat(22)

interface TopicNamed {
  /** Absent where a request has ids alone. */
  readonly name?: string
  readonly topicId: string
}

/**
 * The topic that a request names to write to it or to change it: by id where it carries one, else by name. Throws UNKNOWN_TOPIC_ID or
 * UNKNOWN_TOPIC_OR_PARTITION, and INVALID_TOPIC_EXCEPTION for an ordered view.
 */
export function findTopic(catalog: Catalog, named: TopicNamed): Topic {
  const { name, topicId } = named
  const topic = isById(named) ? catalog.topicById(topicId) : catalog.topic(name!)
  if (topic) return topic
  refuseView(catalog, named)
  throw unknown(named)
}

/** Throws INVALID_TOPIC_EXCEPTION where an ordered view is named: it is only read. */
export function refuseView(catalog: Catalog, named: TopicNamed): void {
  const topic = lookUp(catalog, named)
  if (!topic || catalog.topicById(topic.id)) return
  throw new KafkaError('INVALID_TOPIC_EXCEPTION', `${topic.name} is an ordered view, which is only read`)
}

/** The topic or view that a request names to read it. Throws UNKNOWN_TOPIC_ID or UNKNOWN_TOPIC_OR_PARTITION. */
export function findReadable(catalog: Catalog, named: TopicNamed): ReadableTopic {
  const topic = lookUp(catalog, named)
  if (!topic) throw unknown(named)
  return topic
}

function lookUp(catalog: Catalog, named: TopicNamed): ReadableTopic | undefined {
  return isById(named) ? catalog.readableById(named.topicId) : catalog.readable(named.name!)
}

function isById({ name, topicId }: TopicNamed): boolean {
  return name === undefined || topicId !== noTopicId
}

function unknown(named: TopicNamed): KafkaError {
  return new KafkaError(isById(named) ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
}

/** One partition of a topic. Throws UNKNOWN_TOPIC_OR_PARTITION. */
export function findPartition(topic: Topic, index: number): PartitionLog
export function findPartition(topic: ReadableTopic, index: number): ReadablePartition
export function findPartition(topic: ReadableTopic, index: number): ReadablePartition {
  const log = topic.partitions[index]
  if (!log) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  return log
}

/**
 * Refuses a client whose leader epoch is not the partition's (KIP-320): FENCED_LEADER_EPOCH when it lags, UNKNOWN_LEADER_EPOCH
 * when it is ahead. A negative epoch asks for no check.
 */
export function checkLeaderEpoch(log: ReadablePartition, currentLeaderEpoch: number): void {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === log.leaderEpoch) return
  throw new KafkaError(currentLeaderEpoch < log.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH')
}
