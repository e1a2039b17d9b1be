import type { TopicPartitions } from './partitions.ts'

/** What becomes of a transaction, in the order of the numbers that records carry (TransactionState). */
export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const
export type TransactionState = (typeof transactionStates)[number]

/** What stands for no producer id, epoch or time. */
export const none = { producerId: -1n, epoch: -1, timestampMs: -1 } as const

/**
 * A producer uses no epoch above this; the one that remains can always fence it (TransactionMetadata.isEpochExhausted).
 */
export const producerEpochLast = 2 ** 15 - 2
const epochMax = 2 ** 15 - 1

/** From this level of `transaction.version` on, every end of a transaction has an epoch of its own (KIP-890). */
export const epochBumpVersion = 2

/** What a record of `__transaction_state` says of a transactional id. */
export interface TransactionFacts {
  readonly producerId: bigint
  /** The producer id before the change that this record is. */
  readonly previousProducerId: bigint
  /** The producer id that takes over when the transaction has ended, where epochs have run out. */
  readonly nextProducerId: bigint
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  readonly partitions: TopicPartitions
  /** In milliseconds since 1970; of the first partition's adding. */
  readonly startMs: number
  readonly lastUpdateMs: number
  /** The level of `transaction.version` that this change goes by. */
  readonly clientVersion: number
}

/** One transactional id: its producer, and its transaction under way or the last one (Kafka's TransactionMetadata). */
export class Transaction {
  readonly transactionalId: string
  facts: TransactionFacts
  /**
   * The epoch before the present one, where the producer itself asked for the present one: a repetition of that question is known
   * by it (KIP-360). The log does not have it, as Kafka's has not; after a restart such a repetition is fenced.
   */
  lastProducerEpoch: number = none.epoch

  constructor(transactionalId: string, facts: TransactionFacts) {
    this.transactionalId = transactionalId
    this.facts = facts
  }

  /** The decision has been made, and the partitions have yet to hear of it. */
  get isPrepared(): boolean {
    const { state } = this.facts
    return state === 'PrepareCommit' || state === 'PrepareAbort'
  }

  get isEpochExhausted(): boolean {
    return this.facts.producerEpoch >= producerEpochLast
  }

  /** Whether it took longer than its producer asked for. */
  isTimedOut(nowMs: number): boolean {
    const { state, startMs, timeoutMs } = this.facts
    return state === 'Ongoing' && startMs + timeoutMs < nowMs
  }

  /** Whether nobody has used the id for so long, and nothing is under way. */
  isExpired(nowMs: number, expirationMs: number): boolean {
    const { state, lastUpdateMs } = this.facts
    return state !== 'Ongoing' && !this.isPrepared && lastUpdateMs <= nowMs - expirationMs
  }
}

/** The epoch after this one. The last one stays: an end of a transaction may repeat it, a producer never has it. */
export function nextEpoch(epoch: number): number {
  return Math.min(epoch + 1, epochMax)
}
