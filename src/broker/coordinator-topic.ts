import type { Clock } from '../base/clock.ts'
import type {
  StateRecord,
  StateTopic,
  StateVisitor,
  TransactionalProducer,
  TransactionEnd,
} from '../coordination/state-topic.ts'
import { KafkaError } from '../protocol/errors.ts'
import { CoordinatorLog } from '../storage/coordinator-log.ts'
import type { Catalog, NewTopic, Topic } from './catalog.ts'

/**
 * An internal topic as a coordinator sees it: one ordered, durable log of keys and values per partition. The topic is made
 * at the first append, as Kafka makes it at the first need; also after somebody has deleted it.
 */
export class CoordinatorTopic implements StateTopic {
  readonly #catalog: Catalog
  readonly #clock: Clock
  readonly #definition: NewTopic
  #logs: CoordinatorLog[] | undefined
  #creation: Promise<void> | undefined

  constructor(catalog: Catalog, clock: Clock, definition: NewTopic) {
    this.#catalog = catalog
    this.#clock = clock
    this.#definition = definition
    const topic = catalog.topic(definition.name)
    if (topic) this.#logs = logsOf(topic)
    catalog.listen({
      topicsDeleted: topics => {
        if (topics.some(({ name }) => name === definition.name)) this.#logs = undefined
      },
    })
  }

  get partitionCount(): number {
    return this.#logs?.length ?? this.#definition.partitionCount
  }

  /** Makes the topic if it is not there. */
  async ensure(): Promise<void> {
    if (this.#logs) return
    this.#creation ??= this.#catalog
      .ensure(this.#definition)
      .then(topic => void (this.#logs = logsOf(topic)))
      .finally(() => (this.#creation = undefined))
    await this.#creation
  }

  append(
    partition: number,
    records: readonly StateRecord[],
    producer?: TransactionalProducer,
  ): Promise<void> {
    const timestamp = BigInt(this.#clock.now())
    if (this.#logs) return this.#log(partition).append(records, timestamp, producer)
    // Everybody who comes before the topic is there continues after it in the order of arrival.
    return this.ensure().then(() => this.#log(partition).append(records, timestamp, producer))
  }

  endTransaction(partition: number, end: TransactionEnd): Promise<void> {
    if (this.#logs) return this.#log(partition).endTransaction(end)
    // What is appended before the topic is there is ended behind it, and continues in the same order.
    if (this.#creation) return this.ensure().then(() => this.#log(partition).endTransaction(end))
    return Promise.resolve()
  }

  /** The leader epoch of a partition; 0 as long as there is none. */
  leaderEpoch(partition: number): number {
    return this.#logs?.[partition]?.leaderEpoch ?? 0
  }

  async lastPending(partition: number): Promise<void> {
    await this.#creation
    await this.#logs?.[partition]?.lastPending
  }

  async replay(partition: number, visitor: StateVisitor): Promise<void> {
    await this.#logs?.[partition]?.replay(
      (key, value, _offset, _timestamp, producerId) => visitor.replay(key!, value, producerId),
      (producerId, type) => visitor.replayEnd?.(producerId, type),
    )
  }

  /** The offset of the next record of a partition. */
  endOffset(partition: number): bigint {
    return this.#topic?.partitions[partition]?.logEndOffset ?? 0n
  }

  /** Gives up the records of a partition before `offset`, for good. */
  async discardBefore(partition: number, offset: bigint): Promise<void> {
    const log = this.#topic?.partitions[partition]
    if (log) await this.#catalog.deleteRecords([{ log, offset }])
  }

  get #topic(): Topic | undefined {
    return this.#catalog.topic(this.#definition.name)
  }

  /** Somebody may have made the topic with fewer partitions than the coordinator counted on. */
  #log(partition: number): CoordinatorLog {
    const log = this.#logs![partition]
    if (!log) throw new KafkaError('NOT_COORDINATOR')
    return log
  }
}

function logsOf(topic: Topic): CoordinatorLog[] {
  return topic.partitions.map(partition => new CoordinatorLog(partition))
}
