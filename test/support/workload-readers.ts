import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer } from 'kafkajs'
import type { Random } from '../../src/base/random.ts'
import { errorCodes } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import type { WireClient } from './wire-client.ts'
import {
  commitOffsets,
  deleteRecords,
  fetchBatches,
  listOffsets,
  RefusedError,
  timestamps,
  type Place,
} from './workload-calls.ts'
import { WireWorker } from './workload-worker.ts'

/** Reads a partition at its end, and keeps what it has been shown: batch checksums by base offset. */
export class TailReader extends WireWorker {
  readonly place: Place
  readonly witnessed = new Map<bigint, number>()
  #next = 0n

  constructor(name: string, address: string, place: Place) {
    super(name, address)
    this.place = place
  }

  override async work(client: WireClient): Promise<void> {
    while (!this.isStopping) {
      const { records } = await fetchBatches(client, this.place, this.#next, 100)
      for (const batch of batchesIn(records)) {
        this.witnessed.set(batch.baseOffset, batch.crc)
        this.#next = batch.lastOffset + 1n
      }
    }
  }
}

/** Sees to it that high watermarks and log starts never go back. */
export class Watcher extends WireWorker {
  readonly #places: readonly Place[]
  readonly #highest: { start: bigint[]; end: bigint[] }

  constructor(name: string, address: string, places: readonly Place[]) {
    super(name, address)
    this.#places = places
    this.#highest = { start: places.map(() => 0n), end: places.map(() => 0n) }
  }

  override async work(client: WireClient): Promise<void> {
    while (!this.isStopping) {
      this.#compare('start', await listOffsets(client, this.#places, timestamps.earliest))
      this.#compare('end', await listOffsets(client, this.#places, timestamps.latest))
      await sleep(2)
    }
  }

  #compare(what: 'start' | 'end', offsets: readonly bigint[]): void {
    for (const [index, offset] of offsets.entries()) {
      const before = this.#highest[what][index]!
      const { topic, partition } = this.#places[index]!
      if (offset < before)
        throw new Error(`the ${what} of ${topic}-${partition} went back: ${before}, ${offset}`)
      this.#highest[what][index] = offset
    }
  }
}

/** Moves a partition's log start up behind its end. */
export class Trimmer extends WireWorker {
  readonly #place: Place
  /** The greatest log start that was acknowledged. */
  acknowledged = 0n

  constructor(name: string, address: string, place: Place) {
    super(name, address)
    this.#place = place
  }

  override async work(client: WireClient): Promise<void> {
    while (!this.isStopping) {
      const [end] = await listOffsets(client, [this.#place], timestamps.latest)
      if (end! > this.acknowledged + 50n)
        this.acknowledged = await deleteRecords(client, this.#place, end! - 50n)
      await sleep(20)
    }
  }
}

/** A number that is asked for, and the greatest that was granted; what stands there must lie between. */
export interface Bounds {
  asked: bigint
  acknowledged: bigint
}

/** Commits rising offsets for all partitions of a topic at once. */
export class Committer extends WireWorker {
  readonly groupId: string
  readonly topic: string
  readonly partitions: readonly number[]
  readonly bounds: Bounds = { asked: -1n, acknowledged: -1n }

  constructor(groupId: string, address: string, topic: string, partitions: readonly number[]) {
    super(groupId, address)
    this.groupId = groupId
    this.topic = topic
    this.partitions = partitions
  }

  override async work(client: WireClient): Promise<void> {
    while (!this.isStopping) {
      const offset = ++this.bounds.asked
      try {
        await commitOffsets(client, this.groupId, this.topic, this.partitions, offset)
        this.bounds.acknowledged = offset
      } catch (error) {
        if (!(error instanceof RefusedError) || !isCoordinatorAway(error.code)) throw error
      }
      await sleep(1)
    }
  }
}

function isCoordinatorAway(code: number): boolean {
  const { COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR } = errorCodes
  return [COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR].some(
    each => each === code,
  )
}

/** Reads a topic with kafkajs in a group, and commits what it has read. */
export class KafkajsReader {
  readonly groupId: string
  readonly topic: string
  readonly failures: Error[] = []
  readonly bounds = new Map<number, Bounds>()
  readonly #consumer: Consumer
  readonly #random: Random
  #count = 0

  constructor(groupId: string, topic: string, consumer: Consumer, random: Random) {
    this.groupId = groupId
    this.topic = topic
    this.#consumer = consumer
    this.#random = random
  }

  /** Records read, again after a crash included. */
  get count(): number {
    return this.#count
  }

  async start(): Promise<void> {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: this.topic, fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        this.#count += batch.messages.length
        await this.#commit(batch.partition, BigInt(batch.lastOffset()) + 1n)
        await sleep(this.#random.below(3))
      },
    })
  }

  stop(): Promise<void> {
    return this.#consumer.disconnect()
  }

  async #commit(partition: number, offset: bigint): Promise<void> {
    const known = this.bounds.get(partition) ?? { asked: -1n, acknowledged: -1n }
    this.bounds.set(partition, known)
    if (offset > known.asked) known.asked = offset
    // A commit that a crash took with it is no loss: kafkajs reads and commits again.
    const isDone = await this.#consumer
      .commitOffsets([{ topic: this.topic, partition, offset: String(offset) }])
      .then(
        () => true,
        () => false,
      )
    if (!isDone) return
    if (offset < known.acknowledged) {
      this.failures.push(
        new Error(
          `${this.groupId} read ${this.topic}-${partition} from ${offset}, committed was ${known.acknowledged}`,
        ),
      )
    }
    known.acknowledged = offset
  }
}
