import { assignorName } from '../groups/consumer/assignors/index.ts'
import type { GroupSettings } from '../groups/settings.ts'
import type { Settings } from './configs/settings.ts'

/** The coordinator's part of the settings. */
export function groupSettings(settings: Settings): GroupSettings {
  return {
    groupMinSessionTimeoutMs: settings.get('group.min.session.timeout.ms'),
    groupMaxSessionTimeoutMs: settings.get('group.max.session.timeout.ms'),
    groupInitialRebalanceDelayMs: settings.get('group.initial.rebalance.delay.ms'),
    groupMaxSize: settings.get('group.max.size'),
    groupConsumerMaxSize: settings.get('group.consumer.max.size'),
    groupConsumerAssignors: settings.get('group.consumer.assignors').map(each => assignorName(each)!),
    groupConsumerMigrationPolicy: settings.get('group.consumer.migration.policy').toLowerCase(),
    offsetsRetentionMs: settings.get('offsets.retention.minutes') * 60_000,
    offsetsRetentionCheckIntervalMs: settings.get('offsets.retention.check.interval.ms'),
    groupStreamsMaxSize: settings.get('group.streams.max.size'),
    offsetMetadataMaxBytes: settings.get('offset.metadata.max.bytes'),
  }
}
