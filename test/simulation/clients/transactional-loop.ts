import { produce } from '../../../src/broker/apis/00-produce.ts'
import { listOffsets } from '../../../src/broker/apis/02-list-offsets.ts'
import { offsetFetch } from '../../../src/broker/apis/09-offset-fetch.ts'
import { createTopics } from '../../../src/broker/apis/19-create-topics.ts'
import { initProducerId } from '../../../src/broker/apis/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../../src/broker/apis/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../../src/broker/apis/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../src/broker/apis/26-end-txn.ts'
import { txnOffsetCommit } from '../../../src/broker/apis/28-txn-offset-commit.ts'
import { errorName, type ErrorName } from '../../../src/protocol/errors.ts'
import { buildBatch } from '../../../src/protocol/records/record.ts'
import { committed } from '../../support/transactions.ts'
import { hold } from '../hold.ts'
import {
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'
import { partitionCount, TransactionLedger, type Attempt } from './transaction-ledger.ts'

/** Reads, processes and writes exactly once: step after step, each a transaction with its records and its offset. */
export const transactionalLoop: ClientModule = {
  name: 'transactional loop',
  make: (world, index) => new TransactionalLoop(world, index),
}

/** What a producer may hear when the broker, or its transaction, has come to an end. Whatever else it hears is our bug. */
const expected = new Set<ErrorName>([
  'KAFKA_STORAGE_ERROR',
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'CONCURRENT_TRANSACTIONS',
  'NOT_ENOUGH_REPLICAS',
  'UNSTABLE_OFFSET_COMMIT',
  // The checker, or the clock, was faster.
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_TXN_STATE',
  'TRANSACTION_ABORTABLE',
])

/** A step that came to an end before its time. */
class Refused extends Error {}

class TransactionalLoop implements SimulatedClient {
  readonly #world: World
  readonly #ledger: TransactionLedger
  /** Whether it speaks protocol v2 (KIP-890), as it may after each beginning. */
  #isV2 = false
  #hasTopic = false
  #identity: { producerId: bigint; producerEpoch: number } | undefined
  readonly #sequences = new Map<number, number>()
  #step = 0

  constructor(world: World, index: number) {
    this.#world = world
    this.#ledger = new TransactionLedger(`loop${index}`)
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      while (!this.#world.isOver) {
        try {
          if (!this.#hasTopic) await this.#createTopic(caller)
          else if (!this.#identity) await this.#begin(caller)
          else await this.#take(caller, this.#ledger.begin(this.#step))
        } catch (error) {
          // What became of the transaction is not known; the next beginning tells.
          this.#identity = undefined
          if (!(error instanceof Refused)) throw error
        }
        await this.#world.sleep(this.#world.random.below(800))
      }
    })
  }

  async verify(caller: Caller): Promise<void> {
    if (!this.#ledger.isUsed) return
    // Ends whatever is under way, and fences the loop.
    if (!(await this.#begin(caller).then(() => true, isRefused))) return
    const topic = { name: this.#ledger.topic, topicId: '' }
    const seen: string[][] = []
    for (let partition = 0; partition < partitionCount; partition++) {
      const { values, isOpen } = await committed(caller, topic, partition, 12)
      hold(!isOpen, () => `${topic.name}-${partition} has a transaction open that nobody is in`)
      seen.push(values)
    }
    this.#ledger.verify(seen, this.#step)
    this.#identity = undefined
  }

  async #createTopic(caller: Caller): Promise<void> {
    const { topic: name } = this.#ledger
    const topic = { name, numPartitions: partitionCount, replicationFactor: 1, assignments: [], configs: [] }
    const answer = await caller.call(createTopics, 7, { topics: [topic], timeoutMs: 30_000 })
    const error = errorName(answer.topics[0]!.errorCode)
    this.#hasTopic = error === 'NONE' || error === 'TOPIC_ALREADY_EXISTS'
  }

  /** Gets an identity, and learns which step comes next. */
  async #begin(caller: Caller): Promise<void> {
    const { transactionalId, groupId, topic } = this.#ledger
    const answer = await caller.call(initProducerId, 5, { transactionalId, transactionTimeoutMs: 60_000 })
    this.#check('InitProducerId', answer.errorCode)
    const { groups } = await caller.call(offsetFetch, 8, {
      groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [0] }] }],
      requireStable: true,
    })
    this.#check('OffsetFetch', groups[0]!.errorCode)
    const [partition] = groups[0]!.topics[0]!.partitions
    this.#check('OffsetFetch', partition!.errorCode)
    this.#step = Math.max(0, Number(partition!.committedOffset))
    this.#isV2 = this.#world.random.below(2) === 0
    this.#ledger.checkOffset(this.#step)
    this.#become(answer)
  }

  #become({ producerId, producerEpoch }: { producerId: bigint; producerEpoch: number }): void {
    const { producerId: id, producerEpoch: epoch } = this.#identity ?? {}
    if (id !== producerId || epoch !== producerEpoch) this.#sequences.clear()
    this.#identity = { producerId, producerEpoch }
  }

  async #take(caller: Caller, attempt: Attempt): Promise<void> {
    const { random } = this.#world
    const count = 1 + random.below(4)
    for (let number = 0; number < count; number++)
      await this.#write(caller, attempt, random.below(partitionCount), `${attempt.name}/${number}`)
    await this.#commitOffset(caller, attempt.step + 1)
    const isCommitted = random.below(4) > 0
    attempt.isCommitAsked = isCommitted
    const { transactionalId } = this.#ledger
    const request = { transactionalId, ...this.#identity!, committed: isCommitted }
    const answer = await caller.call(endTxn, this.#isV2 ? 5 : 4, request)
    this.#check('EndTxn', answer.errorCode)
    if (this.#isV2) this.#become(answer)
    if (!isCommitted) return
    this.#ledger.committed(attempt)
    this.#step = attempt.step + 1
  }

  async #write(caller: Caller, attempt: Attempt, index: number, value: string): Promise<void> {
    const { transactionalId, topic: name } = this.#ledger
    const identity = this.#identity!
    if (!this.#isV2) {
      const answer = await caller.call(addPartitionsToTxn, 3, {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: identity.producerId,
        v3AndBelowProducerEpoch: identity.producerEpoch,
        v3AndBelowTopics: [{ name, partitions: [index] }],
      })
      this.#check(
        'AddPartitionsToTxn',
        answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode,
      )
    }
    const baseSequence = this.#sequences.get(index) ?? 0
    const records = buildBatch({
      ...identity,
      baseSequence,
      isTransactional: true,
      records: [{ value: Buffer.from(value), timestamp: BigInt(this.#world.life.now()) }],
    })
    const topicData = [{ name, partitionData: [{ index, records }] }]
    const request = { transactionalId, acks: -1, timeoutMs: 30_000, topicData }
    const answer = await caller.call(produce, this.#isV2 ? 12 : 11, request)
    const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!
    this.#check('Produce', errorCode)
    this.#sequences.set(index, baseSequence + 1)
    attempt.values[index]!.push(value)
    if (this.#world.random.below(5) === 0) await this.#checkStable(caller, index, baseOffset)
  }

  /** No reader of committed records is led beyond what is open. Another process may have ended it: its time is up, or it is fenced. */
  async #checkStable(caller: Caller, partitionIndex: number, offset: bigint): Promise<void> {
    const { topic: name } = this.#ledger
    const answer = await caller.call(listOffsets, 7, {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ name, partitions: [{ partitionIndex, timestamp: -1n }] }],
    })
    const { errorCode, offset: stable } = answer.topics[0]!.partitions[0]!
    this.#check('ListOffsets', errorCode)
    if (stable <= offset) return
    // Then its producer is refused from now on.
    const { transactionalId } = this.#ledger
    const request = { transactionalId, ...this.#identity!, committed: true }
    const ended = await caller.call(endTxn, this.#isV2 ? 5 : 4, request)
    hold(
      ended.errorCode !== 0,
      () => `${name}-${partitionIndex} is stable up to ${stable}, beyond ${offset}, which is open`,
    )
    throw new Refused('the transaction was ended')
  }

  async #commitOffset(caller: Caller, offset: number): Promise<void> {
    const { transactionalId, groupId, topic: name } = this.#ledger
    const producer = { transactionalId, ...this.#identity!, groupId }
    if (!this.#isV2)
      this.#check('AddOffsetsToTxn', (await caller.call(addOffsetsToTxn, 3, producer)).errorCode)
    const partitions = [{ partitionIndex: 0, committedOffset: BigInt(offset), committedMetadata: '' }]
    const request = { ...producer, topics: [{ name, partitions }] }
    const answer = await caller.call(txnOffsetCommit, this.#isV2 ? 5 : 4, request)
    this.#check('TxnOffsetCommit', answer.topics[0]!.partitions[0]!.errorCode)
  }

  /** Throws Refused on an error that may be. */
  #check(api: string, errorCode: number): void {
    this.#world.count(api, errorCode)
    if (errorCode === 0) return
    const error = errorName(errorCode)
    hold(
      expected.has(error as ErrorName),
      () => `${this.#ledger.transactionalId} was refused ${api} with ${error}`,
    )
    throw new Refused(error)
  }
}

function isRefused(error: unknown): false {
  if (error instanceof Refused) return false
  throw error
}
