import { KafkaError } from '../protocol/errors.ts'
import type { TopicPartitions } from './partitions.ts'
import { checkProducer, claimed, transit, type Claim } from './transitions.ts'
import type { Turn } from './turn.ts'

/**
 * Decides that partitions are in a producer's transaction, which begins with them where none is under way
 * (TransactionCoordinator.handleAddPartitionsToTransaction). Throws INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, and
 * CONCURRENT_TRANSACTIONS while the transaction before is ending.
 */
export function addPartitions(
  turn: Turn,
  claim: Claim,
  partitions: TopicPartitions,
  clientVersion: number,
): void {
  const transaction = claimed(turn, claim)
  // With an epoch that runs over, the producer may have its next identity before the transaction that gives it has ended.
  const isNext = claim.producerId === transaction.facts.nextProducerId
  if (transaction.isPrepared && isNext) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  checkProducer(transaction, claim)
  if (transaction.isPrepared) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  const { facts } = transaction
  const isOngoing = facts.state === 'Ongoing'
  if (isOngoing && facts.partitions.includes(partitions)) return
  transit(turn, transaction, {
    state: 'Ongoing',
    partitions: facts.partitions.with(partitions),
    startMs: isOngoing ? facts.startMs : turn.nowMs,
    lastUpdateMs: turn.nowMs,
    clientVersion,
  })
}

/**
 * The partitions of a producer's transaction (TransactionCoordinator.handleVerifyPartitionsInTransaction). Throws
 * INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS.
 */
export function partitionsOf(turn: Turn, claim: Claim): TopicPartitions {
  const transaction = claimed(turn, claim)
  checkProducer(transaction, claim)
  if (transaction.isPrepared) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  return transaction.facts.partitions
}
