import { initProducerId } from '../../src/broker/apis/22-init-producer-id.ts'
import { writeTxnMarkers } from '../../src/broker/apis/27-write-txn-markers.ts'
import type { BrokerOptions } from '../../src/index.ts'
import type { BatchDraft } from '../../src/protocol/records/record.ts'
import { connect, startBroker } from './broker.ts'
import { batchOf, produceTo, type TestTopic } from './requests.ts'
import type { WireClient } from './wire-client.ts'

/** What has a broker take transactional batches of which no coordinator knows, as Kafka does too. */
export const unverified: BrokerOptions = { settings: { 'transaction.partition.verification.enable': false } }

/** A connection to such a broker: to the one that `KAFKA_BOOTSTRAP` names, or to one of our own. */
export async function connectUnverified(): Promise<WireClient> {
  return connect(process.env['KAFKA_BOOTSTRAP'] ?? (await startBroker(unverified)).address)
}

/** How a transaction is to end; the coordinator's words. */
export interface End {
  readonly version?: number
  readonly producerEpoch?: number
  readonly coordinatorEpoch?: number
  readonly transactionVersion?: number
  readonly index?: number
}

// Kafka wants an id with every transactional batch. From version 12 on it adds the partition to the transaction itself (KIP-890).
const transactionalId = 'unverified'
const version = 11

/** A producer that writes to one topic in transactions, and its coordinator in one. */
export class TransactionalProducer {
  epoch = 0
  sequence = 0
  readonly id: bigint
  readonly #client: WireClient
  readonly #topic: TestTopic

  constructor(client: WireClient, topic: TestTopic, id: bigint) {
    this.#client = client
    this.#topic = topic
    this.id = id
  }

  /** With an id that nobody else has. */
  static async on(client: WireClient, topic: TestTopic): Promise<TransactionalProducer> {
    const { producerId } = await client.call(initProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
      producerId: -1n,
      producerEpoch: -1,
    })
    return new TransactionalProducer(client, topic, producerId)
  }

  /** Writes one batch. */
  async write(values: readonly string[], draft: Partial<BatchDraft> = {}) {
    const { id: producerId, epoch: producerEpoch, sequence: baseSequence } = this
    this.sequence += values.length
    const batch = batchOf(values, {
      producerId,
      producerEpoch,
      baseSequence,
      isTransactional: true,
      ...draft,
    })
    return produceTo(this.#client, this.#topic, batch, { version, transactionalId })
  }

  /** Writes a marker and gives its error code. */
  async end(type: 'COMMIT' | 'ABORT', end: End = {}): Promise<number> {
    const { version = 2, index = 0, ...rest } = end
    const answer = await this.#client.call(writeTxnMarkers, version, {
      markers: [
        {
          producerId: this.id,
          producerEpoch: this.epoch,
          transactionResult: type === 'COMMIT',
          topics: [{ name: this.#topic.name, partitionIndexes: [index] }],
          coordinatorEpoch: 0,
          ...rest,
        },
      ],
    })
    return answer.markers[0]!.topics[0]!.partitions[0]!.errorCode
  }
}
