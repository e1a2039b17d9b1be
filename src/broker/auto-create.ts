import { KafkaError } from '../protocol/errors.ts'
import { isViewName } from '../vlsn/view-name.ts'
import type { Topic } from './catalog.ts'
import type { Context } from './context.ts'
import { clusterMetadataTopicName, internalTopic } from './internal-topics.ts'

/**
 * The topic that Metadata was asked for and that is not there, made if both the broker (`auto.create.topics.enable`) and
 * the request allow it. Unlike Kafka's it can be used at once, so the answer is the topic and not LEADER_NOT_AVAILABLE.
 * Rejects with UNKNOWN_TOPIC_OR_PARTITION, with INVALID_TOPIC_EXCEPTION for a name that no topic can have, and with
 * INVALID_REPLICATION_FACTOR where `default.replication.factor` asks for more copies than there are nodes.
 */
export async function autoCreate(name: string, isAllowed: boolean, context: Context): Promise<Topic> {
  const { catalog, settings } = context
  // A view comes with its topic, which may be made yet.
  const isReserved = isViewName(name) || name === clusterMetadataTopicName
  if (!isAllowed || !settings.get('auto.create.topics.enable') || isReserved) {
    throw new KafkaError(catalog.isLegalName(name) ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION')
  }
  const internal = internalTopic(name, settings)
  if (!internal && settings.get('default.replication.factor') > 1) {
    throw new KafkaError('INVALID_REPLICATION_FACTOR')
  }
  return catalog.ensure(
    internal ?? { name, partitionCount: settings.get('num.partitions'), configs: new Map() },
  )
}
