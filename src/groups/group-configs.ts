/** Kafka's settings of a single group (GroupConfig), and what they are read as. */
export interface GroupConfigValues {
  'consumer.assignment.interval.ms': number
  'consumer.heartbeat.interval.ms': number
  'consumer.session.timeout.ms': number
  'odradek.commit.strategy': 'per_partition' | 'vlsn' | 'hybrid'
  'share.assignment.interval.ms': number
  'share.auto.offset.reset': string
  'share.delivery.count.limit': number
  'share.heartbeat.interval.ms': number
  'share.isolation.level': string
  'share.partition.max.record.locks': number
  'share.record.lock.duration.ms': number
  'share.renew.acknowledge.enable': boolean
  'share.session.timeout.ms': number
  'streams.assignment.interval.ms': number
  'streams.heartbeat.interval.ms': number
  'streams.initial.rebalance.delay.ms': number
  'streams.num.standby.replicas': number
  'streams.session.timeout.ms': number
}

/** What is set on groups, as it is now: a value that is altered is in force from the next question on. */
export interface GroupConfigs {
  /** The group's own value, else the broker's. */
  get<Name extends keyof GroupConfigValues>(name: Name, groupId: string): GroupConfigValues[Name]
}
