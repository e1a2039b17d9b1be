import { produce } from '../../../src/broker/apis/00-produce.ts'
import { errorCodes } from '../../../src/protocol/errors.ts'
import {
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'
import { batchOfValues, valuesOf } from './values.ts'

/** Writes without an id, several requests at once, with any acks; never again what it does not know the fate of. */
export const producer: ClientModule = { name: 'producer', make: (world, index) => new Producer(world, index) }

class Producer implements SimulatedClient {
  readonly #world: World
  readonly #name: string
  #numberNext = 0

  constructor(world: World, index: number) {
    this.#world = world
    this.#name = `plain${index}`
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      while (!this.#world.isOver) {
        const count = 1 + this.#world.random.below(5)
        await Promise.all(Array.from({ length: count }, () => this.#produce(caller)))
        await this.#world.sleep(this.#world.random.below(400))
      }
    })
  }

  async #produce(caller: Caller): Promise<void> {
    const { random, topics } = this.#world
    const topic = this.#world.pick(topics.there())
    if (!topic) return
    const acks = [-1, -1, 1, 0][random.below(4)]!
    // Each partition once, some of them.
    const parts = topic.partitions.flatMap((ledger, index) => {
      if (random.below(2) === 0) return []
      const values = valuesOf(random, () => `${this.#name}/${this.#numberNext++}`)
      for (const { name } of values) ledger.attempt(name, false)
      return { index, ledger, values, records: batchOfValues(values, this.#world.life.now()) }
    })
    if (parts.length === 0) return
    const partitionData = parts.map(({ index, records }) => ({ index, records }))
    const { name, topicId } = topic
    const request = { acks, timeoutMs: 30_000, topicData: [{ name, topicId, partitionData }] }
    if (acks === 0) return caller.post(produce, 13, request)
    const { responses } = await caller.call(produce, 13, request)
    for (const { index, errorCode, baseOffset } of responses[0]!.partitionResponses) {
      this.#world.count('Produce', errorCode)
      if (errorCode !== errorCodes.NONE) continue
      const { ledger, values } = parts.find(part => part.index === index)!
      values.forEach(({ name }, at) => ledger.learn(baseOffset + BigInt(at), name, 'acknowledged'))
    }
  }
}
