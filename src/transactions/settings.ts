/** Kafka's settings of the transaction coordinator, in camel case. */
export interface TransactionSettings {
  /** transaction.max.timeout.ms: the longest timeout that a producer may ask for. */
  readonly transactionMaxTimeoutMs: number
  /** transaction.abort.timed.out.transaction.cleanup.interval.ms: how often it is looked for transactions that took too long. */
  readonly abortTimedOutIntervalMs: number
  /** transactional.id.expiration.ms: how long an id without a transaction is remembered. */
  readonly transactionalIdExpirationMs: number
  /** transaction.remove.expired.transaction.cleanup.interval.ms: how often it is looked for ids to be forgotten. */
  readonly removeExpiredIntervalMs: number
  /** transaction.two.phase.commit.enable: whether a producer may have transactions without a timeout (KIP-939). */
  readonly transactionTwoPhaseCommitEnable: boolean
}

/** Kafka's defaults. */
export const transactionDefaults: TransactionSettings = {
  transactionMaxTimeoutMs: 900_000,
  abortTimedOutIntervalMs: 10_000,
  transactionalIdExpirationMs: 604_800_000,
  removeExpiredIntervalMs: 3_600_000,
  transactionTwoPhaseCommitEnable: false,
}
