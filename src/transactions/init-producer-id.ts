import { KafkaError } from '../protocol/errors.ts'
import type { InitProducerIdRequest } from '../protocol/messages/22-init-producer-id.ts'
import { fence } from './end.ts'
import { needsProducerId, type ProducerIdentity } from './identity.ts'
import { TopicPartitions } from './partitions.ts'
import { transactionRecord } from './records.ts'
import { none, producerEpochLast, type Transaction } from './transaction.ts'
import { noTransaction, transit } from './transitions.ts'
import type { Turn } from './turn.ts'

/** The longest timeout that fits: what producers with two-phase commit have. */
const timeoutMsMax = 2 ** 31 - 1

/** A transaction was under way and is being aborted; the same question is answered when that is done. */
export const aborting = Symbol('aborting')

/**
 * Decides an InitProducerId with a transactional id (TransactionCoordinator.handleInitProducerId). Throws PRODUCER_FENCED for one who
 * names an id and epoch that are not the present ones (KIP-360), CONCURRENT_TRANSACTIONS while a transaction is ending,
 * INVALID_TRANSACTION_TIMEOUT, and for two-phase commit (KIP-939) TRANSACTIONAL_ID_AUTHORIZATION_FAILED and UNSUPPORTED_VERSION.
 */
export function initProducerId(
  turn: Turn,
  request: InitProducerIdRequest & { readonly transactionalId: string },
  newProducerId: bigint | undefined,
): ProducerIdentity | typeof aborting | typeof needsProducerId {
  const timeoutMs = checkTimeout(turn, request)
  const { transactionalId } = request
  const expected = request.producerId === none.producerId ? undefined : request
  const transaction = turn.state.transactions.get(transactionalId)
  if (!transaction) {
    if (newProducerId === undefined) return needsProducerId
    return begin(turn, transactionalId, newProducerId, timeoutMs)
  }
  if (expected && !isOwn(transaction, expected)) throw fenced(expected)
  if (transaction.isPrepared) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  if (transaction.facts.state === 'Ongoing') {
    return fence(turn, transaction, newProducerId) === needsProducerId ? needsProducerId : aborting
  }
  if (
    transaction.isEpochExhausted &&
    (!expected || expected.producerEpoch === transaction.facts.producerEpoch)
  ) {
    if (newProducerId === undefined) return needsProducerId
    return rotate(turn, transaction, newProducerId, timeoutMs, expected !== undefined)
  }
  return bump(turn, transaction, expected, timeoutMs)
}

function checkTimeout(turn: Turn, request: InitProducerIdRequest): number {
  const { settings } = turn.environment
  const { enable2Pc, keepPreparedTxn, transactionTimeoutMs: timeoutMs } = request
  if (enable2Pc && !settings.transactionTwoPhaseCommitEnable) {
    const message = 'Two-phase commit is off: transaction.two.phase.commit.enable'
    throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', message)
  }
  if (keepPreparedTxn) {
    throw new KafkaError('UNSUPPORTED_VERSION', 'No transaction can be kept, as Kafka cannot either')
  }
  if (enable2Pc) return timeoutMsMax
  if (timeoutMs <= 0 || timeoutMs > settings.transactionMaxTimeoutMs) {
    const message = `A timeout of ${timeoutMs} ms; transaction.max.timeout.ms is ${settings.transactionMaxTimeoutMs}`
    throw new KafkaError('INVALID_TRANSACTION_TIMEOUT', message)
  }
  return timeoutMs
}

/** A new transactional id begins with epoch 0, whatever its producer remembers: what was known of it has expired. */
function begin(turn: Turn, transactionalId: string, producerId: bigint, timeoutMs: number): ProducerIdentity {
  const facts = {
    ...noTransaction,
    producerId,
    previousProducerId: producerId,
    producerEpoch: 0,
    timeoutMs,
    partitions: new TopicPartitions(),
    lastUpdateMs: turn.nowMs,
    clientVersion: 0,
  }
  turn.write(transactionRecord(transactionalId, facts))
  return { producerId, producerEpoch: 0 }
}

/**
 * Whether a producer that names its id may be the one it says; its epoch is judged later. The id before counts where its last
 * epoch is named: the answer that told of the new id may have been lost.
 */
function isOwn({ facts }: Transaction, { producerId, producerEpoch }: ProducerIdentity): boolean {
  if (producerId === facts.producerId) return true
  return producerId === facts.previousProducerId && producerEpoch >= producerEpochLast
}

/** The epochs of this producer id have run out: another one takes its place (TransactionMetadata.prepareProducerIdRotation). */
function rotate(
  turn: Turn,
  transaction: Transaction,
  producerId: bigint,
  timeoutMs: number,
  isAskedByOwner: boolean,
): ProducerIdentity {
  const { producerEpoch: epochBefore } = transaction.facts
  return become(turn, transaction, { producerId, producerEpoch: 0 }, timeoutMs, isAskedByOwner, epochBefore)
}

/** TransactionMetadata.prepareIncrementProducerEpoch. */
function bump(
  turn: Turn,
  transaction: Transaction,
  expected: ProducerIdentity | undefined,
  timeoutMs: number,
): ProducerIdentity {
  const { producerId, producerEpoch } = transaction.facts
  if (expected && expected.producerEpoch !== producerEpoch) {
    if (expected.producerEpoch !== transaction.lastProducerEpoch) throw fenced(expected)
    // It asks again for what it was told, and does not know.
    const epochBefore = transaction.lastProducerEpoch
    return become(turn, transaction, { producerId, producerEpoch }, timeoutMs, true, epochBefore)
  }
  const identity = { producerId, producerEpoch: producerEpoch + 1 }
  return become(turn, transaction, identity, timeoutMs, expected !== undefined, producerEpoch)
}

function become(
  turn: Turn,
  transaction: Transaction,
  identity: ProducerIdentity,
  timeoutMs: number,
  isAskedByOwner: boolean,
  epochBefore: number,
): ProducerIdentity {
  transit(turn, transaction, {
    ...noTransaction,
    ...identity,
    timeoutMs,
    partitions: new TopicPartitions(),
    lastUpdateMs: turn.nowMs,
  })
  transaction.lastProducerEpoch = isAskedByOwner ? epochBefore : none.epoch
  return identity
}

function fenced({ producerId, producerEpoch }: ProducerIdentity): KafkaError {
  return new KafkaError('PRODUCER_FENCED', `Producer ${producerId} with epoch ${producerEpoch} was replaced`)
}
