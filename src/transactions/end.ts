import { KafkaError } from '../protocol/errors.ts'
import { needsProducerId, type ProducerIdentity } from './identity.ts'
import { epochBumpVersion, nextEpoch, none, producerEpochLast, type Transaction } from './transaction.ts'
import { checkProducer, claimed, transit, type Claim } from './transitions.ts'
import type { Turn } from './turn.ts'

/** What somebody asks a transaction to come to. */
export interface EndRequest extends Claim {
  readonly committed: boolean
}

/** The level of `transaction.version` that this coordinator has for ends of its own accord. */
const ownVersion = epochBumpVersion

/**
 * Decides an EndTxn of a client that speaks this level of `transaction.version`. What is decided is carried out once it is synced
 * (`Environment.prepared`). Returns what the producer is to go on with. Throws INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED,
 * CONCURRENT_TRANSACTIONS while the transaction is ending so, and INVALID_TXN_STATE where it cannot end so any more.
 */
export function endTransaction(
  turn: Turn,
  request: EndRequest,
  clientVersion: number,
  newProducerId: bigint | undefined,
): ProducerIdentity | typeof needsProducerId {
  const transaction = claimed(turn, request)
  return clientVersion >= epochBumpVersion
    ? endWithNewEpoch(turn, transaction, request, newProducerId)
    : endWithSameEpoch(turn, transaction, request)
}

/** Aborts a transaction that is under way, in such a way that its producer cannot go on with it. */
export function fence(
  turn: Turn,
  transaction: Transaction,
  newProducerId: bigint | undefined,
): ProducerIdentity | typeof needsProducerId {
  return prepare(turn, transaction, { committed: false, clientVersion: ownVersion, newProducerId })
}

/** TransactionCoordinator.endTransactionWithTV1: whoever repeats an end is known by the state alone. */
function endWithSameEpoch(turn: Turn, transaction: Transaction, request: EndRequest): ProducerIdentity {
  checkProducer(transaction, request)
  const { facts } = transaction
  const { committed } = request
  if (facts.state === 'Ongoing') {
    return prepare(turn, transaction, {
      committed,
      clientVersion: 0,
      newProducerId: undefined,
    }) as ProducerIdentity
  }
  if (transaction.isPrepared) throw stillEnding(transaction, committed)
  if (facts.state === (committed ? 'CompleteCommit' : 'CompleteAbort')) return facts
  throw cannotEnd(transaction, committed)
}

/**
 * TransactionCoordinator.endTransaction (KIP-890). The epoch tells whether this is the end of the transaction that was, asked for
 * again, or that of the next one: an end that comes late has an epoch that nobody has any more, and touches nothing.
 */
function endWithNewEpoch(
  turn: Turn,
  transaction: Transaction,
  request: EndRequest,
  newProducerId: bigint | undefined,
): ProducerIdentity | typeof needsProducerId {
  const { facts, isPrepared } = transaction
  const { producerId, producerEpoch, committed } = request
  const isBehindOverflow =
    facts.previousProducerId === producerId &&
    producerEpoch === producerEpochLast &&
    facts.producerEpoch === 0
  const isRepeated = isBehindOverflow || facts.producerEpoch === producerEpoch + 1
  if (facts.producerId !== producerId && !isBehindOverflow)
    throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  const isCurrent = facts.producerEpoch === producerEpoch
  const isComplete = facts.state === 'CompleteCommit' || facts.state === 'CompleteAbort'
  const isValid = isPrepared ? isRepeated && !isBehindOverflow : isCurrent || (isComplete && isRepeated)
  if (!isValid) {
    const message = `Epoch ${producerEpoch} of producer ${producerId}; the present one is ${facts.producerEpoch}`
    throw new KafkaError('PRODUCER_FENCED', message)
  }
  if (isPrepared) throw stillEnding(transaction, committed)
  if (isComplete && isRepeated) {
    if (facts.state === (committed ? 'CompleteCommit' : 'CompleteAbort')) return facts
    throw cannotEnd(transaction, committed)
  }
  // A transaction that nothing was added to can be aborted, so that its producer gets another epoch; there is nothing to commit.
  if (facts.state !== 'Ongoing' && committed) throw cannotEnd(transaction, committed)
  return prepare(turn, transaction, { committed, clientVersion: epochBumpVersion, newProducerId })
}

/** TransactionMetadata.prepareAbortOrCommit. */
function prepare(
  turn: Turn,
  transaction: Transaction,
  end: {
    readonly committed: boolean
    readonly clientVersion: number
    readonly newProducerId: bigint | undefined
  },
): ProducerIdentity | typeof needsProducerId {
  const { facts, transactionalId } = transaction
  const { committed, clientVersion, newProducerId } = end
  const bumpsEpoch = clientVersion >= epochBumpVersion
  const isOverflow = bumpsEpoch && transaction.isEpochExhausted
  if (isOverflow && newProducerId === undefined) return needsProducerId
  const nextProducerId = isOverflow ? newProducerId! : none.producerId
  const producerEpoch = bumpsEpoch ? nextEpoch(facts.producerEpoch) : facts.producerEpoch
  transit(turn, transaction, {
    state: committed ? 'PrepareCommit' : 'PrepareAbort',
    producerEpoch,
    nextProducerId,
    startMs: facts.state === 'Ongoing' ? facts.startMs : turn.nowMs,
    lastUpdateMs: turn.nowMs,
    clientVersion,
  })
  if (bumpsEpoch) transaction.lastProducerEpoch = facts.producerEpoch
  const { environment } = turn
  turn.onceSynced(() => environment.prepared(transactionalId))
  return isOverflow
    ? { producerId: nextProducerId, producerEpoch: 0 }
    : { producerId: facts.producerId, producerEpoch }
}

function stillEnding(transaction: Transaction, committed: boolean): KafkaError {
  const isSame = (transaction.facts.state === 'PrepareCommit') === committed
  return isSame ? new KafkaError('CONCURRENT_TRANSACTIONS') : cannotEnd(transaction, committed)
}

function cannotEnd({ facts }: Transaction, committed: boolean): KafkaError {
  const message = `A transaction that is ${facts.state} cannot be ${committed ? 'committed' : 'aborted'}`
  return new KafkaError('INVALID_TXN_STATE', message)
}
