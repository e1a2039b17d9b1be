import type { NewTopic } from './catalog.ts'
import type { Settings } from './configs/settings.ts'

/** The topic in which group coordinators keep their state. */
export const offsetsTopicName = '__consumer_offsets'

/** The topic in which transaction coordinators keep theirs. */
export const transactionsTopicName = '__transaction_state'
/** The topic in which the share coordinator keeps how far share groups have come. */
export const shareStateTopicName = '__share_group_state'
/** The log of the cluster, which is no topic: nobody may make one of this name. */
export const clusterMetadataTopicName = '__cluster_metadata'

/**
 * An internal topic as Kafka makes it (DefaultAutoTopicCreationManager.creatableTopic): partition count and
 * segment size by its own settings. Undefined for any other name.
 */
export function internalTopic(name: string, settings: Settings): NewTopic | undefined {
  switch (name) {
    case offsetsTopicName:
      return {
        name,
        partitionCount: settings.get('offsets.topic.num.partitions'),
        configs: new Map([
          ['cleanup.policy', 'compact'],
          ['compression.type', 'producer'],
          ['segment.bytes', segmentBytes(settings.get('offsets.topic.segment.bytes'))],
        ]),
      }
    case transactionsTopicName:
      return {
        name,
        partitionCount: settings.get('transaction.state.log.num.partitions'),
        // TransactionStateManager.transactionTopicConfigs.
        configs: new Map([
          ['cleanup.policy', 'compact'],
          ['compression.type', 'uncompressed'],
          ['min.insync.replicas', String(settings.get('transaction.state.log.min.isr'))],
          ['segment.bytes', segmentBytes(settings.get('transaction.state.log.segment.bytes'))],
          ['unclean.leader.election.enable', 'false'],
        ]),
      }
    case shareStateTopicName:
      // Its updates add up, so none may be taken from between: its coordinator cuts it at the start (ShareCoordinatorService.shareGroupStateTopicConfigs).
      return {
        name,
        partitionCount: settings.get('share.coordinator.state.topic.num.partitions'),
        configs: new Map([
          ['cleanup.policy', 'delete'],
          ['compression.type', 'producer'],
          ['min.insync.replicas', String(settings.get('share.coordinator.state.topic.min.isr'))],
          ['segment.bytes', segmentBytes(settings.get('share.coordinator.state.topic.segment.bytes'))],
          ['retention.ms', '-1'],
        ]),
      }
    default:
      return undefined
  }
}

/** No topic may have less, though the settings of these allow it. */
const segmentBytesMin = 1024 * 1024

function segmentBytes(wanted: number): string {
  return String(Math.max(wanted, segmentBytesMin))
}
