import { fetch } from '../../../src/broker/apis/01-fetch.ts'
import { errorCodes, errorName } from '../../../src/protocol/errors.ts'
import { hold } from '../hold.ts'
import type { KnownTopic } from '../topic-ledger.ts'
import {
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'

/** Reads all partitions of a topic in a fetch session, from the start and then what comes. */
export const consumer: ClientModule = { name: 'consumer', make: world => new Consumer(world) }

class Consumer implements SimulatedClient {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      while (!this.#world.isOver) {
        const topic = this.#world.pick(this.#world.topics.there())
        if (topic) await this.#follow(caller, topic, 1 + this.#world.random.below(20))
        await this.#world.sleep(this.#world.random.below(200))
      }
    })
  }

  /** Some fetches of one session. */
  async #follow(caller: Caller, topic: KnownTopic, rounds: number): Promise<void> {
    const { random } = this.#world
    const positions = topic.partitions.map(({ start }) => start)
    // What the session does not know yet: in the first round everything.
    let changed = positions.map((_, partition) => partition)
    let sessionId = 0
    for (let sessionEpoch = 0; sessionEpoch < rounds && !this.#world.isOver; sessionEpoch++) {
      const partitions = changed.map(partition => ({
        partition,
        fetchOffset: positions[partition]!,
        logStartOffset: -1n,
        partitionMaxBytes: 1 + random.below(200_000),
      }))
      const answer = await caller.call(fetch, 17, {
        maxWaitMs: random.below(600),
        minBytes: 1 + random.below(100_000),
        maxBytes: 1 + random.below(400_000),
        isolationLevel: random.below(2),
        sessionId,
        sessionEpoch,
        topics: partitions.length > 0 ? [{ topic: topic.name, topicId: topic.topicId, partitions }] : [],
        forgottenTopicsData: [],
      })
      this.#world.count('Fetch', answer.errorCode)
      if (answer.errorCode !== errorCodes.NONE) return
      sessionId = answer.sessionId
      changed = []
      for (const each of answer.responses[0]?.partitions ?? []) {
        if (!this.#take(topic, each, positions)) return
        changed.push(each.partitionIndex)
      }
    }
  }

  /** Takes in what came of one partition; false where the session is of no more use. */
  #take(
    topic: KnownTopic,
    { partitionIndex, errorCode, records, highWatermark }: Fetched,
    positions: bigint[],
  ): boolean {
    const ledger = topic.partitions[partitionIndex]!
    if (errorCode !== errorCodes.NONE) {
      this.#world.count('Fetch', errorCode)
      const isExpected = expected.has(errorCode)
      hold(isExpected, () => `a fetch of ${ledger.name} was refused with ${errorName(errorCode)}`)
      const isBeyond = errorCode === errorCodes.OFFSET_OUT_OF_RANGE
      const position = positions[partitionIndex]!
      hold(
        !isBeyond || position < ledger.cutOffset || topic.state !== 'there',
        () => `${ledger.name} has nothing at ${position}`,
      )
      return false
    }
    positions[partitionIndex] = ledger.read(records ?? Buffer.alloc(0), positions[partitionIndex]!)
    hold(
      positions[partitionIndex]! <= highWatermark,
      () => `${ledger.name} was read up to ${positions[partitionIndex]}, beyond ${highWatermark}`,
    )
    return true
  }
}

interface Fetched {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly records: Buffer | null
  readonly highWatermark: bigint
}

const expected = new Set<number>([
  errorCodes.OFFSET_OUT_OF_RANGE,
  errorCodes.KAFKA_STORAGE_ERROR,
  errorCodes.UNKNOWN_TOPIC_ID,
  errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
])
