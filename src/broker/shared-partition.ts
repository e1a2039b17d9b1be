import { KafkaError } from '../protocol/errors.ts'
import type { Context } from './context.ts'

/** Throws UNKNOWN_TOPIC_OR_PARTITION where there is no such partition to share (ShareCoordinatorShard), INVALID_REQUEST where there cannot be. */
export function sharedPartition({ catalog }: Context, topicId: string, partition: number): void {
  if (partition < 0) throw new KafkaError('INVALID_REQUEST', 'The partition id cannot be a negative number.')
  if (!catalog.topicById(topicId)?.partitions[partition]) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
}
