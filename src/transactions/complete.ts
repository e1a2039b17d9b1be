import type { TransactionEnd } from '../coordination/state-topic.ts'
import type { TransactionMarkers } from './environment.ts'
import { TopicPartitions } from './partitions.ts'
import { epochBumpVersion, none, type Transaction } from './transaction.ts'
import { transit } from './transitions.ts'
import type { Turn } from './turn.ts'

/** The markers of a transaction's end, ordered in every partition and on their way to the disk. */
export interface WrittenMarkers {
  readonly end: TransactionEnd
  readonly written: Promise<PromiseSettledResult<void>[]>
}

/**
 * Has the partitions of a transaction told its end, which is synced in `__transaction_state`. Done within a turn, so that no marker
 * is written once the next transaction may have begun. Undefined where nothing is ending.
 */
export function writeMarkers(
  turn: Turn,
  transactionalId: string,
  markers: TransactionMarkers,
  coordinatorEpoch: number,
): WrittenMarkers | undefined {
  const transaction = turn.state.transactions.get(transactionalId)
  if (!transaction?.isPrepared) return undefined
  const end = endOf(transaction, coordinatorEpoch, turn.nowMs)
  const writes: Promise<void>[] = []
  for (const [topic, partitions] of transaction.facts.partitions.byTopic()) {
    for (const partition of partitions) writes.push(markers.write(topic, partition, end))
  }
  return { end, written: Promise.allSettled(writes) }
}

function endOf({ facts }: Transaction, coordinatorEpoch: number, nowMs: number): TransactionEnd {
  return {
    producerId: facts.producerId,
    producerEpoch: facts.producerEpoch,
    type: facts.state === 'PrepareCommit' ? 'COMMIT' : 'ABORT',
    coordinatorEpoch,
    timestamp: BigInt(nowMs),
    transactionVersion: facts.clientVersion,
  }
}

/** Decides that a transaction has ended, since all its partitions have been told (TransactionMetadata.prepareComplete). */
export function complete(turn: Turn, transactionalId: string, end: TransactionEnd): void {
  const transaction = turn.state.transactions.get(transactionalId)
  if (!transaction?.isPrepared) return
  const { facts } = transaction
  if (facts.producerId !== end.producerId || facts.producerEpoch !== end.producerEpoch) return
  const isOverflow = facts.clientVersion >= epochBumpVersion && facts.nextProducerId !== none.producerId
  transit(turn, transaction, {
    state: facts.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    ...(isOverflow && { producerId: facts.nextProducerId, producerEpoch: 0 }),
    nextProducerId: none.producerId,
    partitions: new TopicPartitions(),
    lastUpdateMs: turn.nowMs,
  })
}
