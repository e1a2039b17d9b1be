import type { CoordinationEnvironment } from '../coordination/environment.ts'
import type { TransactionEnd } from '../coordination/state-topic.ts'
import type { TransactionSettings } from './settings.ts'

/** Where the ends of transactions are written. */
export interface TransactionMarkers {
  /**
   * Ends a transaction in one partition; its order among what is written there is fixed before this returns. Resolves when it is
   * synced. Rejects with a KafkaError: UNKNOWN_TOPIC_OR_PARTITION where there is nothing to end any more.
   */
  write(topic: string, partition: number, end: TransactionEnd): Promise<void>
}

/** Where producer ids come from. */
export interface ProducerIdSource {
  /** One that was never given before. Rejects with a KafkaError where it cannot be kept that it was. */
  next(): Promise<bigint>
}

/** What the transaction coordinator is given to work with. */
export interface Environment extends CoordinationEnvironment {
  readonly settings: TransactionSettings
  /** Called once it is synced that the transaction of this id is to end: its markers are written now. */
  prepared(transactionalId: string): void
}
