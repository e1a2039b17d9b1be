import { defaultLogSettings, type LogSettings } from '../storage/log-settings.ts'
import type { Topic } from './catalog.ts'
import type { Settings } from './configs/settings.ts'
import { TopicConfig } from './configs/topic-config.ts'

/** What the logs of a topic go by. */
export function logSettings(topic: Topic, settings: Settings): LogSettings {
  const config = new TopicConfig(topic.configs, settings)
  const policy = config.get('cleanup.policy')
  return {
    isDeleted: policy.includes('delete'),
    // The broker's own policy may have come later than a VLSN topic.
    isCompacted: policy.includes('compact') && config.get('odradek.partitioning') !== 'vlsn',
    segmentBytes: segmentBytesOf(config),
    segmentMs: config.get('segment.ms'),
    segmentJitterMs: config.get('segment.jitter.ms'),
    retentionMs: config.get('retention.ms'),
    retentionBytes: config.get('retention.bytes'),
    fileDeleteDelayMs: config.get('file.delete.delay.ms'),
    deleteRetentionMs: config.get('delete.retention.ms'),
    minCleanableDirtyRatio: config.get('min.cleanable.dirty.ratio'),
    minCompactionLagMs: config.get('min.compaction.lag.ms'),
    maxCompactionLagMs: config.get('max.compaction.lag.ms'),
  }
}

/** What the VLSNs of a topic go by. */
export function vlsnSettings(topic: Topic, settings: Settings): { gapTimeoutMs: number } {
  const config = new TopicConfig(topic.configs, settings)
  return { gapTimeoutMs: config.get('odradek.vlsn.gap.timeout.ms') }
}

/**
 * What the metadata log goes by. It is read at each start, so that it is kept short: some ten thousand records before the first
 * cleaning, and then at most as many again as say something. Nobody reads tombstones but the broker.
 */
export const metadataLogSettings: LogSettings = {
  ...defaultLogSettings,
  isDeleted: false,
  isCompacted: true,
  segmentBytes: 1024 * 1024,
  segmentMs: Infinity,
  deleteRetentionMs: 0,
}

/** What a segment of a partition holds at most, in bytes, were it a file of its own. */
export function segmentBytesOf(config: TopicConfig): number {
  return config.get('internal.segment.bytes') ?? config.get('segment.bytes')
}
