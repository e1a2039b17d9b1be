import { prefixed, readValue } from '../coordination/records.ts'
import type { StateRecord } from '../coordination/state-topic.ts'
import { decode } from '../protocol/compile.ts'
import { TransactionLogKey, TransactionLogValue } from '../protocol/messages/transaction-state-records.ts'
import { TopicPartitions } from './partitions.ts'
import { transactionStates, type TransactionFacts } from './transaction.ts'

/** The first two bytes of a key (TransactionLog.KeyVersion). */
const keyVersion = 0
/** The version that Kafka writes with `transaction.version` 2. */
const valueVersion = 1

/** What a record of `__transaction_state` says; facts of null remove the id. */
export interface TransactionRecord {
  readonly transactionalId: string
  readonly facts: TransactionFacts | null
}

/** A transactional id as a record; null removes it (TransactionLog.valueToBytes). */
export function transactionRecord(transactionalId: string, facts: TransactionFacts | null): StateRecord {
  return {
    key: prefixed(keyVersion, TransactionLogKey, 0, { transactionalId }),
    value: facts && prefixed(valueVersion, TransactionLogValue, valueVersion, valueOf(facts)),
  }
}

/** Reads a record; undefined for a key or value of a version that does not exist yet, which Kafka skips as well. */
export function readRecord(key: Buffer, value: Buffer | null): TransactionRecord | undefined {
  if (key.readInt16BE(0) !== keyVersion) return undefined
  const read = readValue(TransactionLogValue, value)
  if (read === undefined) return undefined
  const { transactionalId } = decode(TransactionLogKey, 0, key.subarray(2))
  return { transactionalId, facts: read && factsOf(read) }
}

function valueOf(facts: TransactionFacts): TransactionLogValue {
  return {
    producerId: facts.producerId,
    previousProducerId: facts.previousProducerId,
    nextProducerId: facts.nextProducerId,
    producerEpoch: facts.producerEpoch,
    nextProducerEpoch: -1,
    transactionTimeoutMs: facts.timeoutMs,
    transactionStatus: transactionStates.indexOf(facts.state),
    transactionPartitions:
      facts.state === 'Empty'
        ? null
        : Array.from(facts.partitions.byTopic(), ([topic, partitions]) => ({
            topic,
            partitionIds: [...partitions],
          })),
    transactionLastUpdateTimestampMs: BigInt(facts.lastUpdateMs),
    transactionStartTimestampMs: BigInt(facts.startMs),
    clientTransactionVersion: facts.clientVersion,
  }
}

function factsOf(value: TransactionLogValue): TransactionFacts {
  return {
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    timeoutMs: value.transactionTimeoutMs,
    state: transactionStates[value.transactionStatus] ?? 'Dead',
    partitions: TopicPartitions.of(
      (value.transactionPartitions ?? []).map(({ topic, partitionIds }) => [topic, partitionIds] as const),
    ),
    startMs: Number(value.transactionStartTimestampMs),
    lastUpdateMs: Number(value.transactionLastUpdateTimestampMs),
    clientVersion: value.clientTransactionVersion,
  }
}
