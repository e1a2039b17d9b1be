import { Kafka, logLevel } from 'kafkajs'
import { seededRandom, type Random } from '../../src/base/random.ts'
import { errorCodes } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { WireClient } from './wire-client.ts'
import {
  committedOffsets,
  createTopic,
  fetchBatches,
  listOffsets,
  RefusedError,
  timestamps,
  type Place,
} from './workload-calls.ts'
import { compare, noDamage, type Account, type Content, type Damage } from './workload-ledger.ts'
import { Committer, KafkajsReader, TailReader, Trimmer, Watcher } from './workload-readers.ts'
import { KafkajsWriter, WireWriter } from './workload-writers.ts'

const topics = { exact: 3, plain: 2, kafkajs: 2, trimmed: 1 } as const

const places: readonly Place[] = Object.entries(topics).flatMap(([topic, count]) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition })),
)

/**
 * Many clients at once at one broker that comes and goes: idempotent and plain producers, kafkajs, groups, readers at the
 * tail. Each keeps account of what it was promised; `verify` compares that with what the broker has.
 */
export class Workload {
  readonly #address: string
  readonly #writers: readonly (WireWriter | KafkajsWriter)[]
  readonly #tails: readonly TailReader[]
  readonly #trimmer: Trimmer
  readonly #committer: Committer
  readonly #reader: KafkajsReader
  readonly #watcher: Watcher

  /** `address`: where the broker is whenever it is there. */
  constructor(address: string, seed: number) {
    this.#address = address
    const random = (): Random => seededRandom(seeds.below(2 ** 31))
    const seeds = seededRandom(seed)
    const wire = (name: string, place: Place, isExact: boolean, acks = -1): WireWriter =>
      new WireWriter(name, { address, place, random: random(), isExact, acks })
    const kafka = new Kafka({
      clientId: 'workload',
      brokers: [address],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 20, maxRetryTime: 100, retries: 500 },
    })
    const kafkajs = (name: string, partition: number, idempotent: boolean): KafkajsWriter =>
      new KafkajsWriter(name, {
        producer: kafka.producer({ idempotent, maxInFlightRequests: 1 }),
        place: { topic: 'kafkajs', partition },
        random: random(),
        isExact: idempotent,
      })
    this.#writers = [
      wire('exact-a', { topic: 'exact', partition: 0 }, true),
      wire('exact-b', { topic: 'exact', partition: 0 }, true),
      wire('exact-c', { topic: 'exact', partition: 1 }, true, 1),
      wire('plain-a', { topic: 'plain', partition: 0 }, false),
      wire('plain-b', { topic: 'plain', partition: 1 }, false, 1),
      wire('plain-c', { topic: 'trimmed', partition: 0 }, false),
      kafkajs('kafkajs-a', 0, false),
      kafkajs('kafkajs-b', 1, true),
    ]
    this.#tails = [
      new TailReader('tail-a', address, { topic: 'exact', partition: 0 }),
      new TailReader('tail-b', address, { topic: 'plain', partition: 1 }),
    ]
    this.#trimmer = new Trimmer('trimmer', address, { topic: 'trimmed', partition: 0 })
    this.#committer = new Committer('committer', address, 'exact', [0, 1, 2])
    const consumer = kafka.consumer({ groupId: 'readers', sessionTimeout: 10_000, heartbeatInterval: 500 })
    this.#reader = new KafkajsReader('readers', 'kafkajs', consumer, random())
    this.#watcher = new Watcher('watcher', address, places)
  }

  /** Records that the broker has acknowledged. */
  get acknowledgedCount(): number {
    let total = 0
    for (const { account } of this.#writers) for (const { count } of account.acknowledged) total += count
    return total
  }

  /** Everybody's failures that no crash explains. */
  get failures(): string[] {
    return this.#everybody.flatMap(({ name, failures }) =>
      failures.map(({ message }) => `${name}: ${message}`),
    )
  }

  get #everybody(): readonly { readonly name: string; readonly failures: readonly Error[] }[] {
    const { groupId: name, failures } = this.#reader
    return [
      ...this.#writers,
      ...this.#tails,
      this.#trimmer,
      this.#committer,
      this.#watcher,
      { name, failures },
    ]
  }

  /** Makes the topics and sets everybody to work. */
  async start(): Promise<void> {
    const client = await WireClient.connect(this.#address)
    for (const [topic, count] of Object.entries(topics)) await createTopic(client, topic, count)
    await client.close()
    for (const one of [...this.#writers, ...this.#tails, this.#trimmer, this.#committer, this.#watcher])
      one.start()
    await this.#reader.start()
  }

  /** Everybody ends what is under way; the broker must be there. */
  async stop(): Promise<void> {
    const workers = [...this.#writers, ...this.#tails, this.#trimmer, this.#committer, this.#watcher]
    await Promise.all([...workers.map(worker => worker.stop()), this.#reader.stop()])
  }

  /** Reads all that the broker has and compares it with what was promised before this call; the work may go on. */
  async verify(): Promise<Damage> {
    const damage = noDamage()
    const client = await WireClient.connect(this.#address)
    await this.#verifyCommits(client, damage)
    for (const place of places) {
      const accounts = this.#accountsOf(place)
      const witnessed = new Map(this.#tails.find(({ place: at }) => isSame(at, place))?.witnessed)
      const trimmed = this.#trimmer.acknowledged
      const content = await this.#read(client, place)
      if (place.topic === 'trimmed' && content.start < trimmed)
        damage.problems.push(`the log start ${content.start} of trimmed-0 is before ${trimmed}`)
      compare(place, content, accounts, witnessed, damage)
    }
    await client.close()
    return damage
  }

  /** The trimmer may take away what is just being read. */
  async #read(client: WireClient, place: Place): Promise<Content> {
    for (;;) {
      try {
        return await readAll(client, place)
      } catch (error) {
        const isTrimmed = error instanceof RefusedError && error.code === errorCodes.OFFSET_OUT_OF_RANGE
        if (!isTrimmed || place.topic !== 'trimmed') throw error
      }
    }
  }

  #accountsOf(place: Place): Account[] {
    return this.#writers
      .map(({ account }) => account)
      .filter(account => isSame(account, place))
      .map(account => ({ ...account, acknowledged: account.acknowledged.slice() }))
  }

  async #verifyCommits(client: WireClient, damage: Damage): Promise<void> {
    const { groupId, topic, partitions, bounds } = this.#committer
    const before = { ...bounds }
    const committed = await committedOffsets(client, groupId, topic, partitions)
    const isWithin = committed.every(
      offset => offset === committed[0] && offset >= before.acknowledged && offset <= bounds.asked,
    )
    if (!isWithin)
      damage.problems.push(`commits [${committed}] are not one of ${before.acknowledged} to ${bounds.asked}`)
    for (const [partition, bounds] of this.#reader.bounds) {
      const { acknowledged } = bounds
      const [offset] = await committedOffsets(client, this.#reader.groupId, this.#reader.topic, [partition])
      if (offset! >= acknowledged && offset! <= bounds.asked) continue
      damage.problems.push(`readers' commit ${offset} is not within ${acknowledged} to ${bounds.asked}`)
    }
  }
}

function isSame(a: Place, b: Place): boolean {
  return a.topic === b.topic && a.partition === b.partition
}

/** Everything from the log start to the end as of now. */
async function readAll(client: WireClient, place: Place): Promise<Content> {
  const [start] = await listOffsets(client, [place], timestamps.earliest)
  const [end] = await listOffsets(client, [place], timestamps.latest)
  const pieces: Buffer[] = []
  for (let next = start!; next < end!;) {
    const { records } = await fetchBatches(client, place, next, 0)
    let length = 0
    for (const batch of batchesIn(records)) {
      length += batch.sizeInBytes
      next = batch.lastOffset + 1n
    }
    if (length === 0)
      throw new Error(`nothing at ${next} of ${place.topic}-${place.partition}, its end is ${end}`)
    pieces.push(records.subarray(0, length))
  }
  return { start: start!, bytes: Buffer.concat(pieces) }
}
