import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { randomUuid, type Random } from '../base/random.ts'
import { decode, encode } from '../protocol/compile.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Draft, Message, Of } from '../protocol/schema.ts'
import type { CoordinatorLog } from '../storage/coordinator-log.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { Store } from '../storage/store.ts'
import {
  catalogRecords,
  ClusterKey,
  ClusterValue,
  LogStartKey,
  LogStartValue,
  TopicKey,
  TopicValue,
} from './catalog-records.ts'

/** A topic as it stands in the synced metadata. Partition `i` is `partitions[i]`. */
export interface Topic {
  readonly id: string
  readonly name: string
  readonly isInternal: boolean
  readonly partitions: readonly PartitionLog[]
  /** What was set on the topic itself, by Kafka's names. */
  readonly configs: ReadonlyMap<string, string>
}

/** A topic to be made. */
export interface NewTopic {
  readonly name: string
  readonly partitionCount: number
  readonly configs: ReadonlyMap<string, string>
}

/** Told of what was removed, after the removal is synced. */
export interface CatalogListener {
  topicDeleted(topic: Topic): void
}

interface CatalogRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** Kafka's own topics (Topic.INTERNAL_TOPICS). */
const internalTopics = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])
/** Kafka's names of topics (Topic.validate, Topic.LEGAL_CHARS). */
const nameLengthMax = 249
const legalName = /^[a-zA-Z0-9._-]+$/

/** The cluster metadata log's own partition in the store. */
export const catalogPartitionId = 0

/**
 * What exists: topics, their partitions and configs. Everything is a record of the metadata log, applied by one
 * function, `#replay`, live as at recovery. A change is seen by nobody before it is synced, and changes are made one
 * after another, so that each is decided on what the one before it left.
 */
export class Catalog {
  readonly #log: CoordinatorLog
  readonly #store: Store
  readonly #clock: Clock
  readonly #random: Random
  readonly #topics = new Map<string, Topic>()
  readonly #topicsById = new Map<string, Topic>()
  readonly #logStarts = new Map<number, bigint>()
  readonly #listeners: CatalogListener[] = []
  #cluster: Of<typeof ClusterValue> = { clusterId: '', partitionIdNext: catalogPartitionId + 1 }
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(services: { log: CoordinatorLog; store: Store; clock: Clock; random: Random }) {
    this.#log = services.log
    this.#store = services.store
    this.#clock = services.clock
    this.#random = services.random
  }

  get clusterId(): string {
    return this.#cluster.clusterId
  }

  /** Replays the metadata log; on a new one writes the cluster's id (`clusterId`, or a random one). */
  async load(clusterId?: string): Promise<void> {
    await this.#log.replay((key, value) => this.#replay(key!, value))
    for (const [partitionId, offset] of this.#logStarts)
      this.#store.partition(partitionId)?.deleteBefore(offset)
    this.#store.dropUnknown()
    if (this.#cluster.clusterId !== '') return
    const id = clusterId ?? randomUuid(this.#random)
    await this.#change(() => [this.#clusterRecord({ ...this.#cluster, clusterId: id })])
  }

  listen(listener: CatalogListener): void {
    this.#listeners.push(listener)
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  topicById(id: string): Topic | undefined {
    return this.#topicsById.get(id)
  }

  /** All topics, by name. */
  topics(): Topic[] {
    return [...this.#topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  get partitionCount(): number {
    let count = 0
    for (const topic of this.#topics.values()) count += topic.partitions.length
    return count
  }

  /** Why a topic cannot be made: INVALID_TOPIC_EXCEPTION or TOPIC_ALREADY_EXISTS. */
  checkNew(name: string): void {
    if (this.#topics.has(name))
      throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
    const fault = faultOfName(name)
    if (fault) throw new KafkaError('INVALID_TOPIC_EXCEPTION', fault)
    const twin = this.topics().find(topic => collisionKey(topic.name) === collisionKey(name))
    if (twin) {
      throw new KafkaError(
        'INVALID_TOPIC_EXCEPTION',
        `Topic '${name}' collides with existing topic: ${twin.name}`,
      )
    }
  }

  /** Whether a topic could have this name. */
  isLegalName(name: string): boolean {
    return faultOfName(name) === undefined
  }

  /** The topic of this name, made now if it is not there. Rejects as `checkNew` does. */
  async ensure(topic: NewTopic): Promise<Topic> {
    try {
      return this.#topics.get(topic.name) ?? (await this.create(topic))
    } catch (error) {
      const made = this.#topics.get(topic.name)
      if (made) return made
      throw error
    }
  }

  /** Makes a topic; it can be produced to and fetched from once this resolves. Rejects as `checkNew` does. */
  async create(topic: NewTopic): Promise<Topic> {
    const [made] = await this.createAll([topic])
    if (made instanceof KafkaError) throw made
    return made!
  }

  /** Makes topics in one change. Each comes back as it was made, or as the reason why it was not (`checkNew`). */
  async createAll(topics: readonly NewTopic[]): Promise<(Topic | KafkaError)[]> {
    let outcomes: (string | KafkaError)[] = []
    await this.#change(() => {
      let { partitionIdNext } = this.#cluster
      const records: CatalogRecord[] = []
      outcomes = topics.map(({ name, partitionCount, configs }) => {
        const fault = faultOf(() => this.checkNew(name))
        if (fault) return fault
        const id = randomUuid(this.#random)
        const partitions = this.#newPartitions(partitionIdNext, partitionCount)
        partitionIdNext += partitionCount
        records.push(topicRecord(id, { name, partitions, configs: listOf(configs) }))
        return id
      })
      if (records.length === 0) return []
      return [this.#clusterRecord({ ...this.#cluster, partitionIdNext }), ...records]
    })
    return outcomes.map(outcome => (outcome instanceof KafkaError ? outcome : this.#topicsById.get(outcome)!))
  }

  /** Adds partitions until there are `partitionCount`. Rejects with INVALID_PARTITIONS, UNKNOWN_TOPIC_OR_PARTITION. */
  async grow(name: string, partitionCount: number): Promise<void> {
    await this.#change(() => {
      const topic = this.#existing(name)
      const added = partitionCount - topic.partitions.length
      if (added <= 0)
        throw new KafkaError(
          'INVALID_PARTITIONS',
          `Topic already has ${topic.partitions.length} partition(s).`,
        )
      const { partitionIdNext } = this.#cluster
      const partitions = [...this.#partitionsOf(topic), ...this.#newPartitions(partitionIdNext, added)]
      return [
        this.#clusterRecord({ ...this.#cluster, partitionIdNext: partitionIdNext + added }),
        topicRecord(topic.id, { name, partitions, configs: listOf(topic.configs) }),
      ]
    })
  }

  /** Deletes topics by id, and all that they hold, in one change. Each comes back as undefined, or as UNKNOWN_TOPIC_ID. */
  async deleteAll(ids: readonly string[]): Promise<(KafkaError | undefined)[]> {
    let outcomes: (KafkaError | undefined)[] = []
    await this.#change(() => {
      const topics = ids.map(id => this.#topicsById.get(id))
      outcomes = topics.map(topic => (topic ? undefined : new KafkaError('UNKNOWN_TOPIC_ID')))
      return topics.flatMap(topic => (topic ? this.#removal(topic) : []))
    })
    return outcomes
  }

  /** Moves the log starts of partitions up to `offset`, for good and in one change; never down. */
  async deleteRecords(cuts: readonly { log: PartitionLog; offset: bigint }[]): Promise<void> {
    await this.#change(() =>
      cuts
        .filter(({ log, offset }) => offset > log.logStartOffset && this.#store.partition(log.id) === log)
        .map(({ log, offset }) => ({
          key: keyOf(2, { partitionId: log.id }),
          value: valueOf(2, { offset }),
        })),
    )
  }

  #removal(topic: Topic): CatalogRecord[] {
    const logStarts = topic.partitions.filter(({ id }) => this.#logStarts.has(id))
    return [
      { key: keyOf(1, { topicId: topic.id }), value: null },
      ...logStarts.map(({ id }) => ({ key: keyOf(2, { partitionId: id }), value: null })),
    ]
  }

  #existing(name: string): Topic {
    const topic = this.#topics.get(name)
    if (!topic) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    return topic
  }

  /** Decides on the synced state, syncs, applies. */
  #change(decide: () => CatalogRecord[]): Promise<void> {
    const change = this.#lastChange.then(async () => {
      const records = decide()
      if (records.length === 0) return
      await this.#log.append(records, BigInt(this.#clock.now()))
      for (const { key, value } of records) this.#replay(key, value)
    })
    this.#lastChange = change.catch(() => {})
    return change
  }

  #replay(key: Buffer, value: Buffer | null): void {
    const type = key.readInt16BE(0)
    if (type === 0) this.#cluster = read(ClusterValue, value!)
    else if (type === 1) this.#replayTopic(read(TopicKey, key).topicId, value && read(TopicValue, value))
    else if (type === 2)
      this.#replayLogStart(read(LogStartKey, key).partitionId, value && read(LogStartValue, value))
    else throw new KafkaError('KAFKA_STORAGE_ERROR', `a metadata record of unknown type ${type}`)
  }

  #replayTopic(id: string, value: Of<typeof TopicValue> | null): void {
    const before = this.#topicsById.get(id)
    if (!value) {
      assert(before !== undefined, 'a topic deleted that was not there')
      this.#topics.delete(before.name)
      this.#topicsById.delete(id)
      for (const { id } of before.partitions) this.#store.drop(id)
      for (const listener of this.#listeners) listener.topicDeleted(before)
      return
    }
    const partitions = value.partitions.map(
      ({ id, shard, createdAt }, index) =>
        before?.partitions[index] ?? this.#store.create(id, { createdAt, shard }),
    )
    const topic: Topic = {
      id,
      name: value.name,
      isInternal: internalTopics.has(value.name),
      partitions,
      configs: new Map(value.configs.map(({ name, value }) => [name, value])),
    }
    this.#topics.set(topic.name, topic)
    this.#topicsById.set(id, topic)
  }

  #replayLogStart(partitionId: number, value: Of<typeof LogStartValue> | null): void {
    if (!value) {
      this.#logStarts.delete(partitionId)
      return
    }
    this.#logStarts.set(partitionId, value.offset)
    this.#store.partition(partitionId)?.deleteBefore(value.offset)
  }

  #newPartitions(idFirst: number, count: number): Draft<typeof TopicValue>['partitions'] {
    return Array.from({ length: count }, (_, index) => {
      const id = idFirst + index
      return { id, shard: this.#store.shardFor(id), createdAt: this.#store.startCount }
    })
  }

  #partitionsOf(topic: Topic): Draft<typeof TopicValue>['partitions'] {
    return topic.partitions.map(({ id, shard, createdAt }) => ({ id, shard, createdAt }))
  }

  #clusterRecord(value: Draft<typeof ClusterValue>): CatalogRecord {
    return { key: keyOf(0, {} satisfies Draft<typeof ClusterKey>), value: valueOf(0, value) }
  }
}

function faultOf(check: () => void): KafkaError | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}

function topicRecord(topicId: string, value: Draft<typeof TopicValue>): CatalogRecord {
  return { key: keyOf(1, { topicId }), value: valueOf(1, value) }
}

function listOf(configs: ReadonlyMap<string, string>): { name: string; value: string }[] {
  return [...configs].map(([name, value]) => ({ name, value }))
}

const prefixLength = 2
const recordVersion = 0

function keyOf(type: number, key: Draft<Message>): Buffer {
  return behind(type, encode(catalogRecords[type]!.key, recordVersion, key))
}

function valueOf(type: number, value: Draft<Message>): Buffer {
  return behind(recordVersion, encode(catalogRecords[type]!.value, recordVersion, value))
}

function behind(prefix: number, body: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(prefixLength + body.length)
  whole.writeInt16BE(prefix, 0)
  body.copy(whole, prefixLength)
  return whole
}

function read<M extends Message>(table: M, bytes: Buffer): Of<M> {
  return decode(table, recordVersion, bytes.subarray(prefixLength))
}

/** Why no topic can have this name, in Kafka's words (Topic.validate); undefined when one can. */
export function faultOfName(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > nameLengthMax) {
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${nameLengthMax}`
  }
  if (!legalName.test(name)) {
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
  return undefined
}

/** Names that differ in '.' and '_' alone would share the names of metrics (Topic.hasCollision). */
function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}
