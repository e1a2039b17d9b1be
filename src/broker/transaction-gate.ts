import { KafkaError } from '../protocol/errors.ts'
import { TopicPartitions } from '../transactions/partitions.ts'
import { epochBumpVersion } from '../transactions/transaction.ts'
import type { Claim } from '../transactions/transitions.ts'
import type { Services } from './context.ts'

/** What a version of Produce or TxnOffsetCommit means for the producer's transaction (TransactionSupportedOperation). */
export interface TransactionManner {
  /** What is written to is added to the transaction by that (KIP-890); before, it had to be added. */
  readonly addsPartitions: boolean
  /** The client knows TRANSACTION_ABORTABLE; before, it is told INVALID_TXN_STATE. */
  readonly knowsAbortable: boolean
}

/** Why a partition may not be written to; undefined where it may. */
export type Refusals = (topic: string, partition: number) => KafkaError | undefined

type GateServices = Pick<Services, 'transactions' | 'settings'>

/**
 * Sees to it that partitions are in a producer's transaction, and that it is on disk that they are. That they still are when something
 * is written to them is for `checkOngoing` to say, at that moment.
 */
export async function admit(
  services: GateServices,
  claim: Claim,
  partitions: TopicPartitions,
  manner: TransactionManner,
): Promise<Refusals> {
  try {
    if (manner.addsPartitions) {
      await services.transactions.addPartitions(claim, partitions, epochBumpVersion)
      return () => undefined
    }
    if (!services.settings.get('transaction.partition.verification.enable')) return () => undefined
    const known = await services.transactions.partitionsOf(claim)
    return (topic, partition) =>
      known.has(topic, partition) ? undefined : notAdded(topic, partition, manner)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const refusal = translated(error, manner)
    return () => refusal
  }
}

/**
 * Throws INVALID_TXN_STATE unless the partition is in the producer's transaction, as it may not be any more though it was admitted.
 * What is written before anything else is awaited lies before the transaction's end.
 */
export function checkOngoing(
  { transactions, settings }: GateServices,
  claim: Claim,
  topic: string,
  partition: number,
  { addsPartitions }: TransactionManner,
): void {
  if (transactions.isOngoing(claim, topic, partition)) return
  if (!addsPartitions && !settings.get('transaction.partition.verification.enable')) return
  throw new KafkaError('INVALID_TXN_STATE', `The transaction that has ${topic}-${partition} is not under way`)
}

function notAdded(topic: string, partition: number, { knowsAbortable }: TransactionManner): KafkaError {
  const message = `${topic}-${partition} was not added to the transaction`
  return new KafkaError(knowsAbortable ? 'TRANSACTION_ABORTABLE' : 'INVALID_TXN_STATE', message)
}

/** What clients understand of what the coordinator says (AddPartitionsToTxnManager, ReplicaManager). */
function translated(error: KafkaError, { addsPartitions }: TransactionManner): KafkaError {
  switch (error.error) {
    case 'PRODUCER_FENCED':
      return new KafkaError('INVALID_PRODUCER_EPOCH', error.message)
    case 'CONCURRENT_TRANSACTIONS':
      return addsPartitions ? error : askAgain(error)
    case 'COORDINATOR_LOAD_IN_PROGRESS':
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'NOT_COORDINATOR':
      return askAgain(error)
    default:
      return error
  }
}

/** The one error that clients of every age ask again after, without looking for another leader. */
function askAgain(error: KafkaError): KafkaError {
  const message = `The partition may not be in the transaction yet: ${error.error}`
  return new KafkaError('NOT_ENOUGH_REPLICAS', message)
}
