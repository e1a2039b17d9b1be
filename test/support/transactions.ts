import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { produce } from '../../src/broker/apis/00-produce.ts'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { findCoordinator } from '../../src/broker/apis/10-find-coordinator.ts'
import { initProducerId } from '../../src/broker/apis/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../src/broker/apis/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../src/broker/apis/25-add-offsets-to-txn.ts'
import { endTxn } from '../../src/broker/apis/26-end-txn.ts'
import { txnOffsetCommit } from '../../src/broker/apis/28-txn-offset-commit.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { batchOf, eventually, fetchOf, produceOf, uniqueName, type TestTopic } from './requests.ts'
import type { WireClient } from './wire-client.ts'

/** How a client speaks: with protocol v1 it adds partitions itself, with v2 the broker does (KIP-890). */
export type Protocol = 'v1' | 'v2'

const versions = {
  v1: { produce: 11, endTxn: 4, txnOffsetCommit: 4 },
  v2: { produce: 13, endTxn: 5, txnOffsetCommit: 5 },
} as const

/** What a request may be that is to fail. */
export interface Identity {
  readonly producerId?: bigint
  readonly producerEpoch?: number
}

/** What Apache Kafka, at `KAFKA_BOOTSTRAP`, may say for a while, and we never do here. */
const transient = new Set([
  'CONCURRENT_TRANSACTIONS',
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
])

/** Asks until the answer is to stay. */
export function settledAnswer<Answer>(
  ask: () => Promise<Answer>,
  errorsOf: (answer: Answer) => readonly string[] = answer => [String(answer)],
): Promise<Answer> {
  return eventually(ask, answer => !errorsOf(answer).some(error => transient.has(error)))
}

/** A transactional producer that does as it is told, retries nothing and says the error's name. */
export class TestProducer {
  readonly transactionalId: string
  readonly client: WireClient
  readonly #protocol: Protocol
  producerId = -1n
  producerEpoch = -1
  /** The next sequence, by partition. */
  #sequences = new Map<string, number>()

  constructor(client: WireClient, protocol: Protocol = 'v2', transactionalId = uniqueName('transaction')) {
    this.client = client
    this.#protocol = protocol
    this.transactionalId = transactionalId
  }

  /** One that has its identity. */
  static async open(client: WireClient, protocol: Protocol = 'v2', transactionalId?: string) {
    const producer = new TestProducer(client, protocol, transactionalId)
    for (const keyType of [0, 1]) {
      await eventually(
        () => client.call(findCoordinator, 4, { keyType, coordinatorKeys: [producer.transactionalId] }),
        ({ coordinators }) => coordinators[0]!.errorCode === 0,
      )
    }
    const error = await producer.init()
    if (error !== 'NONE') throw new Error(error)
    return producer
  }

  async init(draft: Partial<Draft<typeof initProducerId.request>> = {}, version = 5): Promise<string> {
    const request = { transactionalId: this.transactionalId, transactionTimeoutMs: 60_000, ...draft }
    const answer = await settledAnswer(
      () => this.client.call(initProducerId, version, request),
      ({ errorCode }) => [errorName(errorCode)],
    )
    const error = errorName(answer.errorCode)
    if (error === 'NONE') this.#become(answer)
    return error
  }

  #become({ producerId, producerEpoch }: { producerId: bigint; producerEpoch: number }): void {
    if (producerId === this.producerId && producerEpoch === this.producerEpoch) return
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.#sequences.clear()
  }

  get identity(): string {
    return `${this.producerId}/${this.producerEpoch}`
  }

  /** AddPartitionsToTxn: the error of each partition, in the order of the topics' names. */
  add(partitions: Record<string, number[]>, identity: Identity = {}, version = 3): Promise<string[]> {
    return settledAnswer(
      () => this.#add(partitions, identity, version),
      errors => errors,
    )
  }

  async #add(partitions: Record<string, number[]>, identity: Identity, version: number): Promise<string[]> {
    const { transactionalId } = this
    const topics = Object.entries(partitions).map(([name, partitions]) => ({ name, partitions }))
    const { producerId, producerEpoch } = { ...this, ...identity }
    const answer = await this.client.call(addPartitionsToTxn, version, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: topics,
    })
    return answer.resultsByTopicV3AndBelow
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(({ resultsByPartition }) =>
        resultsByPartition
          .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
          .map(({ partitionErrorCode }) => errorName(partitionErrorCode)),
      )
  }

  /** Adds the partition where the protocol asks for that, and writes a batch. */
  async send(topic: TestTopic, values: readonly string[], index = 0): Promise<string> {
    if (this.#protocol === 'v1') {
      const [error] = await this.add({ [topic.name]: [index] })
      if (error !== 'NONE') return error!
    }
    return this.write(topic, values, { index })
  }

  /** Writes a batch, whatever the broker knows of the transaction. */
  async write(
    topic: TestTopic,
    values: readonly string[],
    {
      index = 0,
      version = versions[this.#protocol].produce,
      ...identity
    }: Identity & { index?: number; version?: number } = {},
  ): Promise<string> {
    const request = this.#produceOf(topic, values, index, identity)
    return settledAnswer(async () => {
      const answer = await this.client.call(produce, version, request)
      return errorName(answer.responses[0]!.partitionResponses[0]!.errorCode)
    })
  }

  #produceOf(topic: TestTopic, values: readonly string[], index: number, identity: Identity) {
    const key = `${topic.name}-${index}`
    const baseSequence = this.#sequences.get(key) ?? 0
    this.#sequences.set(key, baseSequence + values.length)
    const { producerId, producerEpoch } = { ...this, ...identity }
    const batch = batchOf(values, { isTransactional: true, producerId, producerEpoch, baseSequence })
    return { ...produceOf(topic, batch, { index }), transactionalId: this.transactionalId }
  }

  /** EndTxn. */
  async end(
    type: 'COMMIT' | 'ABORT',
    { version = versions[this.#protocol].endTxn, ...identity }: Identity & { version?: number } = {},
  ): Promise<string> {
    const { transactionalId } = this
    const { producerId, producerEpoch } = { ...this, ...identity }
    const request = { transactionalId, producerId, producerEpoch, committed: type === 'COMMIT' }
    const answer = await settledAnswer(
      () => this.client.call(endTxn, version, request),
      ({ errorCode }) => [errorName(errorCode)],
    )
    if (answer.errorCode === 0 && version >= 5) this.#become(answer)
    return errorName(answer.errorCode)
  }

  /** Adds the group where the protocol asks for that, and commits offsets: the error of each, in the order of the topics' names. */
  commitOffsets(group: string, offsets: Record<string, number>, member = {}): Promise<string[]> {
    return settledAnswer(
      () => this.#commitOffsets(group, offsets, member),
      errors => errors,
    )
  }

  async #commitOffsets(group: string, offsets: Record<string, number>, member: object): Promise<string[]> {
    const { transactionalId, producerId, producerEpoch } = this
    const producer = { transactionalId, producerId, producerEpoch }
    if (this.#protocol === 'v1') {
      const { errorCode } = await this.client.call(addOffsetsToTxn, 3, { ...producer, groupId: group })
      if (errorCode !== 0) return [errorName(errorCode)]
    }
    const version = versions[this.#protocol].txnOffsetCommit
    const answer = await this.client.call(txnOffsetCommit, version, {
      ...producer,
      groupId: group,
      generationId: -1,
      memberId: '',
      groupInstanceId: null,
      ...member,
      topics: Object.entries(offsets).map(([key, offset]) => {
        const [, name, index] = /^(.*)-(\d+)$/.exec(key)!
        return {
          name: name!,
          partitions: [
            { partitionIndex: Number(index), committedOffset: BigInt(offset), committedMetadata: null },
          ],
        }
      }),
    })
    return answer.topics
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorName(errorCode)))
  }
}

/**
 * What a consumer of committed records is given of a partition, in order: aborted records and markers left out, as a client does.
 */
export async function committedIn(client: WireClient, topic: TestTopic, partition = 0): Promise<string[]> {
  return (await committed(client, topic, partition)).values
}

/** The same, once nothing is open in the partition any more. */
export async function committedInAll(client: WireClient, topic: TestTopic, partition = 0): Promise<string[]> {
  const all = await eventually(
    () => committed(client, topic, partition),
    ({ isOpen }) => !isOpen,
  )
  return all.values
}

/** The same, with Fetch in this version, and whether something is open in the partition. */
export async function committed(
  client: Pick<WireClient, 'call'>,
  topic: TestTopic,
  partition: number,
  version = 17,
): Promise<{ values: string[]; isOpen: boolean }> {
  const request = fetchOf(topic, [{ partition }], { isolationLevel: 1 })
  const answer = await client.call(fetch, version, request)
  const { records, abortedTransactions, highWatermark, lastStableOffset } =
    answer.responses[0]!.partitions[0]!
  const begins = (abortedTransactions ?? []).toSorted((a, b) => Number(a.firstOffset - b.firstOffset))
  const aborting = new Set<bigint>()
  const found: string[] = []
  for (const batch of batchesIn(records ?? Buffer.alloc(0))) {
    while (begins[0] && begins[0].firstOffset <= batch.lastOffset) aborting.add(begins.shift()!.producerId)
    if (batch.isControl) aborting.delete(batch.producerId)
    else if (!batch.isTransactional || !aborting.has(batch.producerId))
      for (const { value } of readRecords(batch)) found.push(value!.toString())
  }
  return { values: found, isOpen: lastStableOffset < highWatermark }
}

/** A group's offset for a partition, or the name of the error. */
export async function offsetOf(
  client: WireClient,
  groupId: string,
  topic: string,
  { partition = 0, requireStable = false } = {},
): Promise<bigint | string> {
  const answer = await client.call(offsetFetch, 8, {
    groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [partition] }] }],
    requireStable,
  })
  const { errorCode, committedOffset } = answer.groups[0]!.topics[0]!.partitions[0]!
  return errorCode === 0 ? committedOffset : errorName(errorCode)
}

/** A group's offset for partition 0, once no transaction has one for it any more. */
export function stableOffsetOf(client: WireClient, groupId: string, topic: string): Promise<bigint | string> {
  return eventually(
    () => offsetOf(client, groupId, topic, { requireStable: true }),
    offset => offset !== 'UNSTABLE_OFFSET_COMMIT',
  )
}
