import { long } from '../definition.ts'

const rate = () => long(null).atLeast(0).clusterWide().internal()

/**
 * How fast replicas may be moved, in bytes a second: no settings of KafkaConfig, but tools set them on running brokers, and they are
 * shown where somebody has (QuotaConfig.brokerQuotaConfigs).
 */
export const replicationConfigs = {
  'follower.replication.throttled.rate': rate(),
  'leader.replication.throttled.rate': rate(),
  'replica.alter.log.dirs.io.max.bytes.per.second': rate(),
}
