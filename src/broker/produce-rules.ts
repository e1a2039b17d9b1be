import type { Demands } from '../protocol/records/check.ts'
import type { Topic } from './catalog.ts'
import type { Settings } from './configs/settings.ts'
import { TopicConfig } from './configs/topic-config.ts'

/** What a topic's configs ask of the batches that are produced to it. */
export interface ProduceRules {
  /** Bytes; `max.message.bytes`. */
  readonly batchLengthMax: number
  /** `message.timestamp.type=LogAppendTime`. */
  readonly isAppendTime: boolean
  /** What to check of a batch that arrives at `now` (ms). */
  demands(now: bigint): Demands
}

const cache = new WeakMap<Topic, ProduceRules>()

/** The rules of a topic. A topic whose configs change becomes another object, so they are worked out once. */
export function produceRules(topic: Topic, settings: Settings): ProduceRules {
  let rules = cache.get(topic)
  if (!rules) cache.set(topic, (rules = rulesOf(topic, settings)))
  return rules
}

function rulesOf(topic: Topic, settings: Settings): ProduceRules {
  const config = new TopicConfig(topic.configs, settings)
  const isAppendTime = config.get('message.timestamp.type') === 'LogAppendTime'
  const beforeMs = BigInt(config.get('message.timestamp.before.max.ms'))
  const afterMs = BigInt(config.get('message.timestamp.after.max.ms'))
  const keys = config.get('cleanup.policy').includes('compact')
  return {
    batchLengthMax: config.get('max.message.bytes'),
    isAppendTime,
    demands: now =>
      isAppendTime ? { keys } : { keys, timestampMin: now - beforeMs, timestampMax: now + afterMs },
  }
}
