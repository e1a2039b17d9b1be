import type { Codec } from '../protocol/records/batch.ts'
import type { Demands } from '../protocol/records/check.ts'
import type { Durability } from '../storage/durability.ts'
import type { Topic } from './catalog.ts'
import type { Settings } from './configs/settings.ts'
import { TopicConfig } from './configs/topic-config.ts'
import { durabilityOf } from './configs/durability.ts'
import { segmentBytesOf } from './log-settings.ts'

/** What a topic's configs ask of the batches that are produced to it. */
export interface ProduceRules {
  /** Bytes; `max.message.bytes`. */
  readonly batchLengthMax: number
  /** Bytes; `segment.bytes`. */
  readonly segmentLength: number
  /** `message.timestamp.type=LogAppendTime`. */
  readonly isAppendTime: boolean
  /** What records are to be stored in; undefined is what they come in (`compression.type=producer`). */
  readonly codec: Codec | undefined
  /** The level of `codec`, where its library has levels. */
  readonly level: number | undefined
  /** When what was produced is acknowledged. */
  readonly durability: Durability
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
  const codec = codecOf(config.get('compression.type'))
  // Compressed batches are opened, as Kafka does: what is acknowledged can be read.
  const inside = true
  return {
    batchLengthMax: config.get('max.message.bytes'),
    segmentLength: segmentBytesOf(config),
    isAppendTime,
    codec,
    level: levelOf(codec, config),
    durability: durabilityOf(config, settings),
    demands: now =>
      isAppendTime
        ? { keys, inside }
        : { keys, inside, timestampMin: now - beforeMs, timestampMax: now + afterMs },
  }
}

function codecOf(compressionType: string): Codec | undefined {
  if (compressionType === 'producer') return undefined
  return compressionType === 'uncompressed' ? 'none' : (compressionType as Codec)
}

function levelOf(codec: Codec | undefined, config: TopicConfig): number | undefined {
  if (codec === 'gzip') return config.get('compression.gzip.level')
  if (codec === 'zstd') return config.get('compression.zstd.level')
  return undefined
}
