/** Kafka's settings of the group coordinator, in camel case. */
export interface GroupSettings {
  /** group.min.session.timeout.ms */
  readonly groupMinSessionTimeoutMs: number
  /** group.max.session.timeout.ms */
  readonly groupMaxSessionTimeoutMs: number
  /** group.initial.rebalance.delay.ms: how long the first member of an empty group waits for others. */
  readonly groupInitialRebalanceDelayMs: number
  /** group.max.size */
  readonly groupMaxSize: number
  /** group.consumer.max.size: how many members a consumer group may have. */
  readonly groupConsumerMaxSize: number
  /** group.consumer.assignors: what members may ask for; the first where nobody asks. */
  readonly groupConsumerAssignors: readonly string[]
  /** group.consumer.migration.policy, in lower case: which way a group may change between the protocols. */
  readonly groupConsumerMigrationPolicy: string
  /** offsets.retention.minutes, in milliseconds */
  readonly offsetsRetentionMs: number
  /** offsets.retention.check.interval.ms */
  readonly offsetsRetentionCheckIntervalMs: number
  /** group.streams.max.size */
  readonly groupStreamsMaxSize: number
  /** offset.metadata.max.bytes */
  readonly offsetMetadataMaxBytes: number
}

/** Kafka's defaults, except that the first rebalance is not delayed. */
export const groupDefaults: GroupSettings = {
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupInitialRebalanceDelayMs: 0,
  groupMaxSize: 2 ** 31 - 1,
  groupConsumerMaxSize: 2 ** 31 - 1,
  groupConsumerAssignors: ['uniform', 'range'],
  groupConsumerMigrationPolicy: 'bidirectional',
  offsetsRetentionMs: 7 * 24 * 60 * 60 * 1_000,
  offsetsRetentionCheckIntervalMs: 10 * 60 * 1_000,
  groupStreamsMaxSize: 2 ** 31 - 1,
  offsetMetadataMaxBytes: 4_096,
}
