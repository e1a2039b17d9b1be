import type { NewTopic } from './catalog.ts'
import type { Settings } from './configs/settings.ts'

/** The topic in which group coordinators keep their state. */
export const offsetsTopicName = '__consumer_offsets'

/**
 * An internal topic as Kafka makes it (DefaultAutoTopicCreationManager.creatableTopic): partition count and
 * segment size by its own settings, compacted. Undefined for any other name.
 */
export function internalTopic(name: string, settings: Settings): NewTopic | undefined {
  if (name !== offsetsTopicName) return undefined
  return {
    name,
    partitionCount: settings.get('offsets.topic.num.partitions'),
    configs: new Map([
      ['cleanup.policy', 'compact'],
      ['compression.type', 'producer'],
      ['segment.bytes', String(settings.get('offsets.topic.segment.bytes'))],
    ]),
  }
}
