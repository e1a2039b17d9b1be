import { listOffsets } from '../../../src/broker/apis/02-list-offsets.ts'
import { createTopics } from '../../../src/broker/apis/19-create-topics.ts'
import { deleteTopics } from '../../../src/broker/apis/20-delete-topics.ts'
import { deleteRecords } from '../../../src/broker/apis/21-delete-records.ts'
import { errorCodes } from '../../../src/protocol/errors.ts'
import { hold } from '../hold.ts'
import type { KnownTopic } from '../topic-ledger.ts'
import {
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'

/** Makes topics, deletes them and their records, and asks where they begin and end. One at a time is at work. */
export const administrator: ClientModule = { name: 'administrator', make: world => new Administrator(world) }

const topicsMax = 4
const earliest = -2n
const latest = -1n

class Administrator implements SimulatedClient {
  readonly #world: World
  #count = 0

  constructor(world: World) {
    this.#world = world
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      while (!this.#world.isOver) {
        await this.#act(caller)
        await this.#world.sleep(this.#world.random.below(500))
      }
    })
  }

  async #act(caller: Caller): Promise<void> {
    const { random, topics } = this.#world
    const what = random.below(100)
    const topic = this.#world.pick(topics.there())
    if (!topic || (what < 15 && topics.there().length < topicsMax)) return this.#create(caller)
    if (what < 20) return this.#delete(caller, topic)
    if (what < 50) return this.#deleteRecords(caller, topic)
    return this.#listOffsets(caller, topic)
  }

  async #create(caller: Caller): Promise<void> {
    const numPartitions = 1 + this.#world.random.below(4)
    const name = `topic${this.#count++}`
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
    const answer = await caller.call(createTopics, 7, { topics: [topic], timeoutMs: 30_000 })
    const { errorCode, topicId } = answer.topics[0]!
    this.#world.count('CreateTopics', errorCode)
    if (errorCode === errorCodes.NONE) this.#world.topics.add(name, topicId, numPartitions)
  }

  async #delete(caller: Caller, topic: KnownTopic): Promise<void> {
    topic.state = 'unknown'
    const request = { topics: [{ name: null, topicId: topic.topicId }], timeoutMs: 30_000 }
    const { errorCode } = (await caller.call(deleteTopics, 6, request)).responses[0]!
    this.#world.count('DeleteTopics', errorCode)
    if (errorCode === errorCodes.NONE) topic.state = 'gone'
  }

  async #deleteRecords(caller: Caller, topic: KnownTopic): Promise<void> {
    const partitionIndex = this.#world.random.below(topic.partitions.length)
    const ledger = topic.partitions[partitionIndex]!
    const span = Number(ledger.end - ledger.start)
    const offset = ledger.start + BigInt(this.#world.random.below(span + 1))
    ledger.cut(offset)
    const partitions = [{ partitionIndex, offset }]
    const answer = await caller.call(deleteRecords, 2, {
      topics: [{ name: topic.name, partitions }],
      timeoutMs: 30_000,
    })
    const { errorCode, lowWatermark } = answer.topics[0]!.partitions[0]!
    this.#world.count('DeleteRecords', errorCode)
    if (errorCode !== errorCodes.NONE) return
    hold(lowWatermark >= offset, () => `${ledger.name} starts at ${lowWatermark} after a cut at ${offset}`)
    ledger.toldStart(lowWatermark)
  }

  async #listOffsets(caller: Caller, topic: KnownTopic): Promise<void> {
    const isStart = this.#world.random.below(2) === 0
    const answer = await caller.call(listOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [
        {
          name: topic.name,
          partitions: topic.partitions.map((_, partitionIndex) => ({
            partitionIndex,
            timestamp: isStart ? earliest : latest,
          })),
        },
      ],
    })
    for (const { partitionIndex, errorCode, offset } of answer.topics[0]!.partitions) {
      this.#world.count('ListOffsets', errorCode)
      if (errorCode !== errorCodes.NONE) continue
      const ledger = topic.partitions[partitionIndex]!
      if (isStart) ledger.toldStart(offset)
      else ledger.told(offset)
    }
  }
}
