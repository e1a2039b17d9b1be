import { KafkaError } from '../protocol/errors.ts'
import { transactionRecord } from './records.ts'
import { none, type Transaction, type TransactionFacts } from './transaction.ts'
import type { Turn } from './turn.ts'

/** Who claims to be the producer of a transactional id. */
export interface Claim {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** The transaction of a claim, whoever it is by. Throws INVALID_REQUEST and INVALID_PRODUCER_ID_MAPPING. */
export function claimed(turn: Turn, { transactionalId }: Claim): Transaction {
  if (transactionalId === '') throw new KafkaError('INVALID_REQUEST')
  const transaction = turn.state.transactions.get(transactionalId)
  if (!transaction) {
    throw new KafkaError('INVALID_PRODUCER_ID_MAPPING', `Nobody has the transactional id ${transactionalId}`)
  }
  return transaction
}

/** Throws INVALID_PRODUCER_ID_MAPPING and PRODUCER_FENCED unless the claim is that of the present producer. */
export function checkProducer({ facts }: Transaction, { producerId, producerEpoch }: Claim): void {
  if (producerId !== facts.producerId) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  if (producerEpoch !== facts.producerEpoch) {
    const message = `Epoch ${producerEpoch} of producer ${producerId}; the present one is ${facts.producerEpoch}`
    throw new KafkaError('PRODUCER_FENCED', message)
  }
}

/** Decides a change of a transactional id, from what is known of it to that with `change` (TransactionMetadata.prepareTransitionTo). */
export function transit(turn: Turn, transaction: Transaction, change: Partial<TransactionFacts>): void {
  const { transactionalId, facts } = transaction
  const previousProducerId = facts.producerId
  turn.write(transactionRecord(transactionalId, { ...facts, previousProducerId, ...change }))
}

/** What a record says of an id that is not in a transaction. */
export const noTransaction = {
  state: 'Empty',
  startMs: none.timestampMs,
  nextProducerId: none.producerId,
} as const
