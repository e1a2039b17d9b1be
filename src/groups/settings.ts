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
  groupStreamsMaxSize: 2 ** 31 - 1,
  offsetMetadataMaxBytes: 4_096,
}
