/** A record of a coordinator's topic as it lies in the log; a value of null is a tombstone. */
export interface StateRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** A transactional producer. What is written on its behalf counts once its transaction is committed. */
export interface TransactionalProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** The end of a producer's transaction in one partition, as the transaction's coordinator decided it. */
export interface TransactionEnd extends TransactionalProducer {
  readonly type: 'COMMIT' | 'ABORT'
  /** The leader epoch of the partition of `__transaction_state` that says so. */
  readonly coordinatorEpoch: number
  /** In milliseconds since 1970. */
  readonly timestamp: bigint
  /** The level of `transaction.version` that the end goes by: from 2 on, it has an epoch of its own (KIP-890). */
  readonly transactionVersion: number
}

/** What a replay meets, oldest first. */
export interface StateVisitor {
  /** A record; with a `producerId`, one of that producer's transaction. The bytes are only lent for the time of the call. */
  replay(key: Buffer, value: Buffer | null, producerId: bigint | undefined): void
  /** The end of a producer's transaction. Topics without transactions have none. */
  replayEnd?(producerId: bigint, type: TransactionEnd['type']): void
}

/** What a coordinator needs of its internal topic: one ordered, durable log per partition. */
export interface StateTopic {
  readonly partitionCount: number
  /**
   * Appends all records or none, in call order, in the transaction of `producer` where there is one; order is fixed before it
   * returns. Resolves when they are synced.
   */
  append(
    partition: number,
    records: readonly StateRecord[],
    producer?: TransactionalProducer | undefined,
  ): Promise<void>
  /**
   * Ends a producer's transaction likewise; where the topic is not there, there is nothing to end. Throws, with nothing done, where
   * the log refuses an end that is not in order.
   */
  endTransaction(partition: number, end: TransactionEnd): Promise<void>
  /** Settles as the last append under way does; resolves at once when there is none. */
  lastPending(partition: number): Promise<void>
  /** Tells `visitor` everything that is synced. */
  replay(partition: number, visitor: StateVisitor): Promise<void>
}
