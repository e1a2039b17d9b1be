import { bool, double, int, list, long, longMax, string } from '../definition.ts'
import { ownTopicConfigs } from './own.ts'
import { gzipLevel, throttledReplicas } from './rules.ts'

/** Apache Kafka 4.3.1's topic settings, and the broker settings that they fall back to (TopicConfig, LogConfig). */
export const kafkaTopicConfigs = {
  'cleanup.policy': list('delete').oneOf('compact', 'delete').from('log.cleanup.policy'),
  'compression.gzip.level': int(-1)
    .where(...gzipLevel)
    .from('compression.gzip.level'),
  'compression.lz4.level': int(9).between(1, 17).from('compression.lz4.level'),
  'compression.type': string('producer')
    .oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer')
    .from('compression.type'),
  'compression.zstd.level': int(3).between(-131_072, 22).from('compression.zstd.level'),
  'delete.retention.ms': long(86_400_000).atLeast(0).from('log.cleaner.delete.retention.ms'),
  'file.delete.delay.ms': long(60_000).atLeast(0).from('log.segment.delete.delay.ms'),
  'flush.messages': long(longMax).atLeast(1).from('log.flush.interval.messages'),
  'flush.ms': long(longMax).atLeast(0).from('log.flush.interval.ms', 'log.flush.scheduler.interval.ms'),
  'follower.replication.throttled.replicas': list('').where(...throttledReplicas),
  'index.interval.bytes': int(4096).atLeast(0).from('log.index.interval.bytes'),
  'internal.segment.bytes': int(null).internal(),
  'leader.replication.throttled.replicas': list('').where(...throttledReplicas),
  'local.retention.bytes': long(-2).atLeast(-2).from('log.local.retention.bytes'),
  'local.retention.ms': long(-2).atLeast(-2).from('log.local.retention.ms'),
  'max.compaction.lag.ms': long(longMax).atLeast(1).from('log.cleaner.max.compaction.lag.ms'),
  'max.message.bytes': int(1_048_588).atLeast(0).from('message.max.bytes'),
  'message.timestamp.after.max.ms': long(3_600_000).atLeast(0).from('log.message.timestamp.after.max.ms'),
  'message.timestamp.before.max.ms': long(longMax).atLeast(0).from('log.message.timestamp.before.max.ms'),
  'message.timestamp.type': string('CreateTime')
    .oneOf('CreateTime', 'LogAppendTime')
    .from('log.message.timestamp.type'),
  'min.cleanable.dirty.ratio': double(0.5).between(0, 1).from('log.cleaner.min.cleanable.ratio'),
  'min.compaction.lag.ms': long(0).atLeast(0).from('log.cleaner.min.compaction.lag.ms'),
  'min.insync.replicas': int(1).atLeast(1).from('min.insync.replicas'),
  preallocate: bool(false).from('log.preallocate'),
  'remote.log.copy.disable': bool(false),
  'remote.log.delete.on.disable': bool(false),
  'remote.storage.enable': bool(false),
  'retention.bytes': long(-1).from('log.retention.bytes'),
  'retention.ms': long(604_800_000)
    .atLeast(-1)
    .from('log.retention.ms', 'log.retention.minutes', 'log.retention.hours'),
  'segment.bytes': int(1_073_741_824).atLeast(1_048_576).from('log.segment.bytes'),
  'segment.index.bytes': int(10_485_760).atLeast(4).from('log.index.size.max.bytes'),
  'segment.jitter.ms': long(0).atLeast(0).from('log.roll.jitter.ms', 'log.roll.jitter.hours'),
  'segment.ms': long(604_800_000).atLeast(1).from('log.roll.ms', 'log.roll.hours'),
  'unclean.leader.election.enable': bool(false).from('unclean.leader.election.enable'),
}

/** Every setting that a topic knows. */
export const topicConfigs = { ...kafkaTopicConfigs, ...ownTopicConfigs }
