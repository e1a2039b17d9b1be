import { KafkaError } from '../protocol/errors.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { Catalog, Topic } from './catalog.ts'

/** What stands for no topic id. */
export const noTopicId = 'A'.repeat(22)

/**
 * The topic that a request names: by id where it carries one, else by name.
 * Throws UNKNOWN_TOPIC_ID or UNKNOWN_TOPIC_OR_PARTITION.
 */
export function findTopic(catalog: Catalog, { name, topicId }: { name: string; topicId: string }): Topic {
  const usesId = topicId !== noTopicId
  const topic = usesId ? catalog.topicById(topicId) : catalog.topic(name)
  if (!topic) throw new KafkaError(usesId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
  return topic
}

/** One partition of a topic. Throws UNKNOWN_TOPIC_OR_PARTITION. */
export function findPartition(topic: Topic, index: number): PartitionLog {
  const log = topic.partitions[index]
  if (!log) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  return log
}

/**
 * Refuses a client whose leader epoch is not the partition's (KIP-320): FENCED_LEADER_EPOCH when it lags, UNKNOWN_LEADER_EPOCH
 * when it is ahead. A negative epoch asks for no check.
 */
export function checkLeaderEpoch(log: PartitionLog, currentLeaderEpoch: number): void {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === log.leaderEpoch) return
  throw new KafkaError(currentLeaderEpoch < log.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH')
}
