/** A record of a coordinator's topic as it lies in the log; a value of null is a tombstone. */
export interface StateRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** What a coordinator needs of its internal topic: one ordered, durable log per partition. */
export interface StateTopic {
  readonly partitionCount: number
  /** Appends all records or none, in call order; order is fixed before it returns. Resolves when they are synced. */
  append(partition: number, records: readonly StateRecord[]): Promise<void>
  /** Settles as the last append under way does; resolves at once when there is none. */
  lastPending(partition: number): Promise<void>
  /** Calls `visit` with every record, oldest first. The bytes are only lent for the time of the call. */
  replay(partition: number, visit: (key: Buffer, value: Buffer | null) => void): Promise<void>
}
