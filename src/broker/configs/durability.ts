import type { Durability, DurabilityMode } from '../../storage/durability.ts'
import type { BrokerConfigName, Settings } from './settings.ts'
import type { TopicConfig } from './topic-config.ts'

/**
 * How durable a topic's batches are when they are acknowledged. The block triggers of seed 003 rule in `async` mode, and in
 * `group` mode where somebody has set them; `flush.messages` and `flush.ms` can only ask for more.
 */
export function durabilityOf(config: TopicConfig, settings: Settings): Durability {
  const mode = config.get('odradek.durability') as DurabilityMode
  const rules = (name: BrokerConfigName): boolean =>
    mode === 'async' || (mode === 'group' && settings.isSet(name))
  const delayMsMax = rules('odradek.block.delay.ms.max') ? settings.get('odradek.block.delay.ms.max') : 0
  return {
    mode,
    recordsMax: rules('odradek.block.records.max') ? settings.get('odradek.block.records.max') : Infinity,
    delayMsMax: Math.min(delayMsMax, config.get('flush.ms')),
    unsyncedRecordsMax: config.get('flush.messages'),
  }
}
