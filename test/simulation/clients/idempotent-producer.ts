import { produce } from '../../../src/broker/apis/00-produce.ts'
import { initProducerId } from '../../../src/broker/apis/22-init-producer-id.ts'
import { errorCodes, errorName } from '../../../src/protocol/errors.ts'
import { hold } from '../hold.ts'
import type { KnownTopic, PartitionLedger } from '../topic-ledger.ts'
import {
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'
import { batchOfValues, valuesOf, type NamedValue } from './values.ts'

/** Writes with a producer id, and again what it does not know the fate of, until it does. */
export const idempotentProducer: ClientModule = {
  name: 'idempotent producer',
  make: (world, index) => new IdempotentProducer(world, index),
}

/** A batch on its way; the same bytes each time. */
interface Pending {
  readonly topic: KnownTopic
  readonly index: number
  readonly ledger: PartitionLedger
  readonly values: readonly NamedValue[]
  readonly records: Buffer
}

const idsSeen = new WeakMap<World, Set<bigint>>()

class IdempotentProducer implements SimulatedClient {
  readonly #world: World
  readonly #name: string
  #numberNext = 0
  #producerId = -1n
  readonly #sequences = new Map<PartitionLedger, number>()
  #pending: Pending | undefined

  constructor(world: World, index: number) {
    this.#world = world
    this.#name = `exact${index}`
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      while (!this.#world.isOver) {
        if (this.#producerId < 0n) await this.#initialize(caller)
        else {
          this.#pending ??= this.#draw()
          if (this.#pending) await this.#send(caller, this.#pending)
        }
        await this.#world.sleep(this.#world.random.below(300))
      }
    })
  }

  async #initialize(caller: Caller): Promise<void> {
    const request = { transactionalId: null, transactionTimeoutMs: 60_000 }
    const { errorCode, producerId } = await caller.call(initProducerId, 4, request)
    this.#world.count('InitProducerId', errorCode)
    if (errorCode !== errorCodes.NONE) return
    const seen = idsSeen.get(this.#world) ?? new Set()
    idsSeen.set(this.#world, seen)
    hold(!seen.has(producerId), () => `producer id ${producerId} was given twice`)
    seen.add(producerId)
    this.#producerId = producerId
    this.#sequences.clear()
  }

  #draw(): Pending | undefined {
    const { random, topics, life } = this.#world
    const topic = this.#world.pick(topics.there())
    if (!topic) return undefined
    const index = random.below(topic.partitions.length)
    const ledger = topic.partitions[index]!
    const values = valuesOf(random, () => `${this.#name}/${this.#numberNext++}`)
    for (const { name } of values) ledger.attempt(name, true)
    const producer = {
      producerId: this.#producerId,
      producerEpoch: 0,
      baseSequence: this.#sequences.get(ledger) ?? 0,
    }
    return { topic, index, ledger, values, records: batchOfValues(values, life.now(), producer) }
  }

  async #send(caller: Caller, pending: Pending): Promise<void> {
    const { topic, index, ledger, values, records } = pending
    const { name, topicId } = topic
    const topicData = [{ name, topicId, partitionData: [{ index, records: Buffer.from(records) }] }]
    const { responses } = await caller.call(produce, 13, { acks: -1, timeoutMs: 30_000, topicData })
    const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
    this.#world.count('Produce', errorCode)
    if (errorCode === errorCodes.NONE) {
      values.forEach(({ name }, at) => ledger.learn(baseOffset + BigInt(at), name, 'acknowledged'))
      this.#sequences.set(ledger, (this.#sequences.get(ledger) ?? 0) + values.length)
      this.#pending = undefined
      // A client that was started anew.
      if (this.#world.random.below(30) === 0) this.#producerId = -1n
      return
    }
    // The shard has failed; a restart will help. Everything else but a deleted topic is our bug.
    if (errorCode === errorCodes.KAFKA_STORAGE_ERROR) return
    const isGone =
      errorCode === errorCodes.UNKNOWN_TOPIC_ID || errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION
    hold(
      isGone && topic.state !== 'there',
      () => `${this.#name} was refused with ${errorName(errorCode)} for ${ledger.name}`,
    )
    this.#pending = undefined
  }
}
