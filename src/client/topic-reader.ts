import { systemClock, type Cancel, type Clock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import type { BatchPayload, KafkaAdmin, KafkaClient, KafkaConsumer, KafkaMessage } from './kafka-client.ts'

/** What one fetch has brought. */
export interface Read {
  /** From the offset that was asked for on, in order. Empty if there is nothing that this reader may see, for now. */
  readonly messages: readonly KafkaMessage[]
  /** Where to go on. */
  readonly nextOffset: bigint
}

/** Where a partition begins and ends. */
export interface Bounds {
  readonly low: bigint
  readonly high: bigint
}

export interface TopicReaderOptions {
  /** The consumer group to read in, `odradek-reader-` and chance unless given; nothing is committed in it. */
  readonly groupId?: string
  /** Whether to see what transactions have not committed, or have aborted. */
  readonly isUncommitted?: boolean
  /** How long an empty partition is waited for, in ms; 20 by default. */
  readonly waitMs?: number
  readonly clock?: Clock
}

interface Waiting {
  /** From where on records are wanted. */
  offset: bigint
  /** How many fetches each node has begun since nothing was found before `offset`. */
  begun: Map<number, number>
  readonly resolve: (read: Read) => void
  readonly reject: (error: Error) => void
  readonly cancel: Cancel
}

// What a client's own retries take longest for, with room.
const answerMsMax = 60_000

/**
 * Reads any partition of a topic from any offset, whenever it is asked: what Kafka's protocol has and kafkajs keeps behind its
 * groups. It is the only member of a group of its own, which has every partition, all paused but those that somebody waits for.
 *
 * kafkajs says nothing when a fetch brings nothing. But it begins the next fetch from a node only when it is done with the one before;
 * so if it has begun two since a partition was asked for, the first has brought nothing.
 */
export class TopicReader {
  readonly topic: string
  readonly #admin: KafkaAdmin
  readonly #consumer: KafkaConsumer
  readonly #groupId: string
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiting>()
  readonly #busy = new Map<number, Promise<unknown>>()
  readonly #nodes = new Set<number>()
  #partitions: number[] = []
  #failure: Error | undefined

  private constructor(kafka: KafkaClient, topic: string, admin: KafkaAdmin, options: TopicReaderOptions) {
    const { waitMs = 20, isUncommitted = false, clock = systemClock } = options
    this.topic = topic
    this.#admin = admin
    this.#clock = clock
    this.#groupId = options.groupId ?? `odradek-reader-${systemRandom.bytes(12).toString('hex')}`
    this.#consumer = kafka.consumer({
      groupId: this.#groupId,
      maxWaitTimeInMs: waitMs,
      readUncommitted: isUncommitted,
      allowAutoTopicCreation: false,
    })
  }

  /** Joins its group, which Apache Kafka lets a new one wait for (`group.initial.rebalance.delay.ms`, 3 s). `admin` stays the caller's. */
  static async open(
    kafka: KafkaClient,
    admin: KafkaAdmin,
    topic: string,
    options: TopicReaderOptions = {},
  ): Promise<TopicReader> {
    const reader = new TopicReader(kafka, topic, admin, options)
    await reader.#start()
    return reader
  }

  async #start(): Promise<void> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [this.topic] })
    this.#partitions = topics[0]!.partitions.map(({ partitionId }) => partitionId)
    const consumer = this.#consumer
    consumer.on('consumer.group_join', () => this.#joined())
    consumer.on('consumer.fetch_start', ({ payload }) => this.#fetchBegun(payload.nodeId))
    consumer.on('consumer.end_batch_process', ({ payload }) => {
      if (payload.batchSize === 0) this.#skipped(payload.partition, BigInt(payload.lastOffset) + 1n)
    })
    consumer.on('consumer.crash', ({ payload }) => {
      if (!payload.restart) this.#fail(payload.error)
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [this.topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: this.#partitions.length,
      eachBatch: payload => this.#arrived(payload),
    })
  }

  get partitionCount(): number {
    return this.#partitions.length
  }

  /** Where the partitions begin and end now, by their numbers. */
  async bounds(): Promise<Bounds[]> {
    const bounds: Bounds[] = []
    for (const { partition, low, high } of await this.#admin.fetchTopicOffsets(this.topic)) {
      bounds[partition] = { low: BigInt(low), high: BigInt(high) }
    }
    return bounds
  }

  /**
   * The records of `partition` from `offset` on, as many as one fetch brings. Calls for one partition wait for one another. Rejects with
   * the client's error when it gives up, and with Error when the reader is closed.
   */
  fetch(partition: number, offset: bigint): Promise<Read> {
    const before = this.#busy.get(partition) ?? Promise.resolve()
    const read = before.then(() => this.#fetch(partition, offset))
    this.#busy.set(
      partition,
      read.catch(() => {}),
    )
    return read
  }

  /** The records of `partition` from offset `from` to before `to`, as far as they are there. */
  async *scan(partition: number, from: bigint, to: bigint): AsyncGenerator<KafkaMessage> {
    for (let at = from; at < to;) {
      const { messages, nextOffset } = await this.fetch(partition, at)
      // Up to the end there is nothing that may be seen.
      if (messages.length === 0) return
      for (const message of messages) {
        if (BigInt(message.offset) >= to) return
        yield message
      }
      at = nextOffset
    }
  }

  #fetch(partition: number, offset: bigint): Promise<Read> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(answerMsMax, () => {
        this.#fail(new Error(`partition ${partition} of ${this.topic} did not answer for ${answerMsMax} ms`))
      })
      this.#waiting.set(partition, { offset, begun: new Map(), resolve, reject, cancel })
      this.#ask(partition, offset)
    })
  }

  #ask(partition: number, offset: bigint): void {
    const { topic } = this
    this.#consumer.seek({ topic, partition, offset: String(offset) })
    this.#consumer.resume([{ topic, partitions: [partition] }])
  }

  #pause(partitions: number[]): void {
    this.#consumer.pause([{ topic: this.topic, partitions }])
  }

  /** A member that joins, or joins again, is where its group has committed: nowhere. */
  #joined(): void {
    this.#pause(this.#partitions)
    for (const [partition, waiting] of this.#waiting) {
      waiting.begun.clear()
      this.#ask(partition, waiting.offset)
    }
  }

  async #arrived({ batch }: BatchPayload): Promise<void> {
    const { partition, messages } = batch
    const waiting = this.#waiting.get(partition)
    if (!waiting) return this.#pause([partition])
    // It began anew after a rebalance.
    if (BigInt(messages[0]!.offset) < waiting.offset) return this.#ask(partition, waiting.offset)
    this.#answer(partition, waiting, { messages, nextOffset: BigInt(batch.lastOffset()) + 1n })
  }

  /** There were markers and what was aborted up to before `offset`; the consumer goes on there by itself. */
  #skipped(partition: number, offset: bigint): void {
    const waiting = this.#waiting.get(partition)
    if (!waiting || offset <= waiting.offset) return
    waiting.offset = offset
    waiting.begun.clear()
  }

  #fetchBegun(nodeId: number): void {
    this.#nodes.add(nodeId)
    for (const [partition, waiting] of this.#waiting) {
      const { begun, offset } = waiting
      begun.set(nodeId, (begun.get(nodeId) ?? 0) + 1)
      const isOver = [...this.#nodes].every(node => (begun.get(node) ?? 0) > 1)
      if (isOver) this.#answer(partition, waiting, { messages: [], nextOffset: offset })
    }
  }

  #answer(partition: number, { cancel, resolve }: Waiting, read: Read): void {
    // Before the next fetch is put together, so that none is under way for a partition that nobody waits for.
    this.#pause([partition])
    cancel()
    this.#waiting.delete(partition)
    resolve(read)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { cancel, reject } of this.#waiting.values()) {
      cancel()
      reject(error)
    }
    this.#waiting.clear()
  }

  /** Leaves its group and has it deleted. */
  async close(): Promise<void> {
    this.#fail(new Error(`the reader of ${this.topic} is closed`))
    await this.#consumer.disconnect()
    // It is empty, and a broker that keeps it all the same forgets it in its time.
    await this.#admin.deleteGroups([this.#groupId]).catch(() => {})
  }
}
