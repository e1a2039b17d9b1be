/** A record of `__consumer_offsets` as it lies in the log; a value of null is a tombstone. */
export interface OffsetsRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** What the coordinator needs of `__consumer_offsets`: one ordered, durable log per partition. */
export interface OffsetsTopic {
  readonly partitionCount: number
  /** Appends all records or none, in call order; order is fixed before it returns. Resolves when they are synced. */
  append(partition: number, records: readonly OffsetsRecord[]): Promise<void>
  /** Settles as the last append under way does; resolves at once when there is none. */
  lastPending(partition: number): Promise<void>
  /** Calls `visit` with every record, oldest first. The bytes are only lent for the time of the call. */
  replay(partition: number, visit: (key: Buffer, value: Buffer | null) => void): Promise<void>
}

/** What the coordinator needs to know of the topics that offsets are committed for. */
export interface TopicLookup {
  partitionCount(topic: string): number | undefined
  topicId(topic: string): string | undefined
  topicName(topicId: string): string | undefined
}
