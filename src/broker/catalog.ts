import type { Clock } from '../base/clock.ts'
import { randomUuid, type Random } from '../base/random.ts'
import { encode } from '../protocol/compile.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Draft, Message, Of } from '../protocol/schema.ts'
import type { CoordinatorLog } from '../storage/coordinator-log.ts'
import type { PartitionId, PartitionLog } from '../storage/partition-log.ts'
import type { ReadablePartition } from '../storage/readable-partition.ts'
import type { Store } from '../storage/store.ts'
import { auditVlsns } from '../vlsn/audit.ts'
import { isViewName, viewIdOf, viewNameOf } from '../vlsn/view-name.ts'
import { VlsnTopic, type VlsnState } from '../vlsn/vlsn-topic.ts'
import { resourceTypes, type ConfigResource } from './configs/resources.ts'
import { configSources, type Settings } from './configs/settings.ts'
import {
  catalogRecords,
  ClusterKey,
  ClusterValue,
  prefixLength,
  readCatalogRecord,
  recordVersion,
  type ConfigsValue,
  type LogStartValue,
  type TopicValue,
  type VlsnValue,
} from './catalog-records.ts'

/** What is read under a name: a topic, or the ordered view of one. Partition `i` is `partitions[i]`. */
export interface ReadableTopic {
  readonly id: string
  readonly name: string
  readonly isInternal: boolean
  readonly partitions: readonly ReadablePartition[]
  /** What was set on the topic itself, by Kafka's names. */
  readonly configs: ReadonlyMap<string, string>
}

/** A topic as it stands in the synced metadata. */
export interface Topic extends ReadableTopic {
  readonly partitions: readonly PartitionLog[]
  /** Where its records are numbered by their writer (`odradek.partitioning=vlsn`). */
  readonly vlsn: VlsnTopic | undefined
}

/** A topic to be made. */
export interface NewTopic {
  readonly name: string
  readonly partitionCount: number
  readonly configs: ReadonlyMap<string, string>
}

/** New settings of a topic, a broker or a group. */
export interface ConfigChange extends ConfigResource {
  /** What is to be set there in place of `current`. Throws KafkaError where nothing may be changed. */
  decide(current: ReadonlyMap<string, string>): ReadonlyMap<string, string>
}

/** Told of changes after they are synced. */
export interface CatalogListener {
  /** All that one change deleted, together: there may be thousands. */
  topicsDeleted?(topics: readonly Topic[]): void
  /** A topic was made, got partitions, or has other settings in force, be it through the broker's. Told of all topics at first. */
  topicChanged?(topic: Topic): void
}

interface CatalogRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** Kafka's own topics (Topic.INTERNAL_TOPICS). */
const internalTopics = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

/** Whether a topic is one of Kafka's own. */
export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name)
}

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
  readonly #settings: Settings
  readonly #topics = new Map<string, Topic>()
  readonly #topicsById = new Map<string, Topic>()
  /** The ordered views of topics, by their own names and ids. */
  readonly #views = new Map<string, ReadableTopic>()
  readonly #viewsById = new Map<string, ReadableTopic>()
  /** By topic id. */
  readonly #vlsnStates = new Map<string, VlsnState>()
  readonly #vlsnByPartition = new Map<PartitionId, { readonly topicId: string; readonly vlsn: VlsnTopic }>()
  readonly #namesByCollisionKey = new Map<string, Set<string>>()
  readonly #logStarts = new Map<number, bigint>()
  /** What was set on brokers and groups, by `resourceKey`. */
  readonly #configs = new Map<string, ConfiguredResource>()
  readonly #listeners: CatalogListener[] = []
  /** The ids of topics that listeners have not been told of since they changed. */
  readonly #changed = new Set<string>()
  /** Those that they have not been told the deletion of. */
  #deleted: Topic[] = []
  #cluster: Of<typeof ClusterValue> = { clusterId: '', partitionIdNext: catalogPartitionId + 1 }
  #lastChange: Promise<unknown> = Promise.resolve()
  /** Why a change failed. What it has left on disk only the next start will tell. */
  #failure: Error | undefined
  #isLoaded = false
  readonly #reportBug: (error: unknown) => void

  /** `settings` is kept to what is set on the broker and on all brokers. */
  constructor(services: {
    log: CoordinatorLog
    store: Store
    clock: Clock
    random: Random
    settings: Settings
    reportBug(error: unknown): void
  }) {
    this.#reportBug = services.reportBug
    this.#log = services.log
    this.#store = services.store
    this.#clock = services.clock
    this.#random = services.random
    this.#settings = services.settings
  }

  get clusterId(): string {
    return this.#cluster.clusterId
  }

  /** Replays the metadata log; on a new one writes the cluster's id (`clusterId`, or a random one). */
  async load(clusterId?: string): Promise<void> {
    await this.#log.replay((key, value) => this.#replay(key!, value))
    this.#tellChanged()
    for (const [partitionId, offset] of this.#logStarts)
      this.#store.partition(partitionId)?.deleteBefore(offset)
    this.#store.dropUnknown()
    await Promise.all([...this.#topics.values()].map(({ vlsn }) => vlsn?.load()))
    this.#isLoaded = true
    if (this.#cluster.clusterId !== '') return
    const id = clusterId ?? randomUuid(this.#random)
    await this.#change(() => [this.#clusterRecord({ ...this.#cluster, clusterId: id })])
  }

  /** Tells `listener` of all topics now, and of every change from now on. */
  listen(listener: CatalogListener): void {
    this.#listeners.push(listener)
    for (const topic of this.#topics.values()) listener.topicChanged?.(topic)
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  topicById(id: string): Topic | undefined {
    return this.#topicsById.get(id)
  }

  /** All topics, by name. */
  topics(): Topic[] {
    return byName([...this.#topics.values()])
  }

  /** The topic or view of this name. */
  readable(name: string): ReadableTopic | undefined {
    return this.#topics.get(name) ?? this.#views.get(name)
  }

  readableById(id: string): ReadableTopic | undefined {
    return this.#topicsById.get(id) ?? this.#viewsById.get(id)
  }

  /** All topics and views, by name. */
  readables(): ReadableTopic[] {
    const views = [...this.#views.values()].filter(({ name }) => !this.#topics.has(name))
    return byName([...this.#topics.values(), ...views])
  }

  /** What is unsound in what topics know of their records besides what the store knows. */
  async audit(): Promise<string[]> {
    const problems: string[] = []
    for (const { name, vlsn } of this.topics()) if (vlsn) problems.push(...(await auditVlsns(name, vlsn)))
    return problems
  }

  /** Ends what topics do of their own accord; resolves when it is done. */
  async close(): Promise<void> {
    for (const { vlsn } of this.#topics.values()) vlsn?.close()
    await this.#lastChange
  }

  /** What was set on a resource, by Kafka's names; nothing on one that is not there. */
  configs(resource: ConfigResource): ReadonlyMap<string, string> {
    if (resource.resourceType === resourceTypes.topic) {
      return this.#topics.get(resource.resourceName)?.configs ?? nothing
    }
    return this.#configs.get(resourceKey(resource))?.configs ?? nothing
  }

  /** The groups that something was set on, by name. */
  configuredGroups(): string[] {
    return [...this.#configs.values()]
      .filter(({ resourceType }) => resourceType === resourceTypes.group)
      .map(({ resourceName }) => resourceName)
      .toSorted()
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
    if (isViewName(name)) {
      const message = `Topic name is invalid: '${name}' is kept for the ordered view of a VLSN topic`
      throw new KafkaError('INVALID_TOPIC_EXCEPTION', message)
    }
    const [twin] = this.#namesByCollisionKey.get(collisionKey(name)) ?? []
    if (twin !== undefined) {
      throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${twin}`)
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
        if (isNumbered(configs)) records.push(vlsnRecord(id, firstState(partitionCount, configs)))
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
      const records = [
        this.#clusterRecord({ ...this.#cluster, partitionIdNext: partitionIdNext + added }),
        topicRecord(topic.id, { name, partitions, configs: listOf(topic.configs) }),
      ]
      if (topic.vlsn) {
        const eras = topic.vlsn.nextEra(partitionCount).list
        records.push(vlsnRecord(topic.id, { ...this.#vlsnStates.get(topic.id)!, eras }))
      }
      return records
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
    await this.#change(() => {
      const due = cuts.filter(
        ({ log, offset }) => offset > log.logStartOffset && this.#store.partition(log.id) === log,
      )
      const records = due.map(({ log, offset }) => ({
        key: keyOf(2, { partitionId: log.id }),
        value: valueOf(2, { offset }),
      }))
      return [...records, ...this.#viewStarts(due)]
    })
  }

  /** Where the views of topics begin that lose records. */
  #viewStarts(cuts: readonly { log: PartitionLog; offset: bigint }[]): CatalogRecord[] {
    const states = new Map<string, VlsnState>()
    for (const { log, offset } of cuts) {
      const numbered = this.#vlsnByPartition.get(log.id)
      if (!numbered) continue
      const { topicId, vlsn } = numbered
      const state = states.get(topicId) ?? this.#vlsnStates.get(topicId)!
      const start = vlsn.startAfterDeletion(log, offset)
      if (start > state.start) states.set(topicId, { ...state, start })
    }
    return [...states].map(([topicId, state]) => vlsnRecord(topicId, state))
  }

  /** Has it known for good that what is missing of a VLSN topic from `from` to before `to` will not come. */
  async #closeGap(topicId: string, closed: VlsnState['closed']): Promise<void> {
    await this.#change(() => {
      const state = this.#vlsnStates.get(topicId)
      return state ? [vlsnRecord(topicId, { ...state, closed })] : []
    })
  }

  /** Sets configs in one change. Each resource comes back as undefined, or as the reason why nothing of it was changed. */
  async alterConfigs(
    changes: readonly ConfigChange[],
    { validateOnly }: { validateOnly: boolean },
  ): Promise<(KafkaError | undefined)[]> {
    let outcomes: (KafkaError | undefined)[] = []
    await this.#change(() => {
      const records: CatalogRecord[] = []
      outcomes = changes.map(change =>
        faultOf(() => {
          const before = this.configs(change)
          const after = change.decide(before)
          if (!areSame(before, after)) records.push(this.#configsRecord(change, after))
        }),
      )
      return validateOnly ? [] : records
    })
    return outcomes
  }

  #configsRecord(
    { resourceType, resourceName }: ConfigResource,
    configs: ReadonlyMap<string, string>,
  ): CatalogRecord {
    if (resourceType === resourceTypes.topic) {
      const topic = this.#existing(resourceName)
      const { id, name } = topic
      return topicRecord(id, { name, partitions: this.#partitionsOf(topic), configs: listOf(configs) })
    }
    return {
      key: keyOf(3, { resourceType, resourceName }),
      value: configs.size === 0 ? null : valueOf(3, { configs: listOf(configs) }),
    }
  }

  #removal(topic: Topic): CatalogRecord[] {
    const logStarts = topic.partitions.filter(({ id }) => this.#logStarts.has(id))
    return [
      { key: keyOf(1, { topicId: topic.id }), value: null },
      ...(topic.vlsn ? [{ key: keyOf(4, { topicId: topic.id }), value: null }] : []),
      ...logStarts.map(({ id }) => ({ key: keyOf(2, { partitionId: id }), value: null })),
    ]
  }

  #existing(name: string): Topic {
    const topic = this.#topics.get(name)
    if (!topic) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    return topic
  }

  /** Decides on the synced state, syncs, applies. Once this has failed, it does so even where nothing has to be changed: a restart may. */
  #change(decide: () => CatalogRecord[]): Promise<void> {
    const change = this.#lastChange.then(async () => {
      const records = decide()
      if (this.#failure) throw this.#failure
      if (records.length === 0) return
      await this.#log.append(records, BigInt(this.#clock.now())).catch((error: Error) => {
        throw (this.#failure = error)
      })
      for (const { key, value } of records) this.#replay(key, value)
      this.#tellChanged()
    })
    this.#lastChange = change.catch(() => {})
    return change
  }

  #replay(key: Buffer, value: Buffer | null): void {
    const statement = readCatalogRecord(key, value)
    if (statement.type === 'cluster') this.#cluster = statement.value
    else if (statement.type === 'topic') this.#replayTopic(statement.topicId, statement.value)
    else if (statement.type === 'logStart') this.#replayLogStart(statement.partitionId, statement.value)
    else if (statement.type === 'configs') this.#replayConfigs(statement.resource, statement.value)
    else this.#replayVlsn(statement.topicId, statement.value)
  }

  #replayTopic(id: string, value: Of<typeof TopicValue> | null): void {
    const before = this.#topicsById.get(id)
    if (!value) {
      // Compaction may have taken the record that made it.
      if (!before) return
      this.#topics.delete(before.name)
      this.#topicsById.delete(id)
      this.#forgetName(before.name)
      this.#views.delete(viewNameOf(before.name))
      this.#viewsById.delete(viewIdOf(id))
      before.vlsn?.close()
      for (const { id } of before.partitions) {
        this.#store.drop(id)
        this.#vlsnByPartition.delete(id)
      }
      this.#deleted.push(before)
      return
    }
    const partitions = value.partitions.map(
      ({ id, shard, createdAt }, index) =>
        before?.partitions[index] ?? this.#store.create(id, { createdAt, shard }),
    )
    const configs = mapOf(value.configs)
    const vlsn = isNumbered(configs) ? (before?.vlsn ?? this.#newVlsn(id, partitions.length)) : undefined
    vlsn?.extend(partitions)
    if (vlsn) for (const log of partitions) this.#vlsnByPartition.set(log.id, { topicId: id, vlsn })
    const isInternal = internalTopics.has(value.name)
    this.#put({ id, name: value.name, isInternal, partitions, configs, vlsn })
  }

  /** What the metadata says of it may stand before its topic or behind, once the log has been compacted. */
  #newVlsn(topicId: string, partitionCount: number): VlsnTopic {
    const state = this.#vlsnStates.get(topicId) ?? firstState(partitionCount, new Map())
    const vlsn = new VlsnTopic(state, {
      clock: this.#clock,
      slabs: this.#store.slabs,
      closeGap: closed => this.#closeGap(topicId, closed),
      reportBug: this.#reportBug,
    })
    if (this.#isLoaded) vlsn.begin()
    return vlsn
  }

  #replayVlsn(topicId: string, state: Of<typeof VlsnValue> | null): void {
    if (!state) {
      this.#vlsnStates.delete(topicId)
      return
    }
    this.#vlsnStates.set(topicId, state)
    this.#topicsById.get(topicId)?.vlsn?.apply(state)
  }

  #put(topic: Topic): void {
    this.#topics.set(topic.name, topic)
    this.#topicsById.set(topic.id, topic)
    if (topic.vlsn) this.#putView(topic, topic.vlsn)
    const key = collisionKey(topic.name)
    const names = this.#namesByCollisionKey.get(key)
    if (names) names.add(topic.name)
    else this.#namesByCollisionKey.set(key, new Set([topic.name]))
    this.#changed.add(topic.id)
  }

  #putView({ id, name, configs }: Topic, { view }: VlsnTopic): void {
    const topic: ReadableTopic = {
      id: viewIdOf(id),
      name: viewNameOf(name),
      isInternal: true,
      partitions: [view],
      configs,
    }
    this.#views.set(topic.name, topic)
    this.#viewsById.set(topic.id, topic)
  }

  #forgetName(name: string): void {
    const key = collisionKey(name)
    const names = this.#namesByCollisionKey.get(key)!
    names.delete(name)
    if (names.size === 0) this.#namesByCollisionKey.delete(key)
  }

  #replayConfigs(resource: ConfigResource, value: Of<typeof ConfigsValue> | null): void {
    const configs = mapOf(value?.configs ?? [])
    const key = resourceKey(resource)
    if (value) this.#configs.set(key, { ...resource, configs })
    else this.#configs.delete(key)
    const { resourceType, resourceName } = resource
    if (resourceType !== resourceTypes.broker) return
    const isForAll = resourceName === ''
    if (!isForAll && resourceName !== String(this.#settings.get('node.id'))) return
    this.#settings.replace(configSources[isForAll ? 'dynamicDefaultBroker' : 'dynamicBroker'], configs)
    // What is remembered of a topic is remembered by its object, and topics fall back to the broker's settings.
    for (const topic of this.#topics.values()) this.#put({ ...topic })
  }

  #tellChanged(): void {
    const deleted = this.#deleted
    this.#deleted = []
    if (deleted.length > 0) this.#tell(listener => listener.topicsDeleted?.(deleted))
    const topics = [...this.#changed].map(id => this.#topicsById.get(id)).filter(topic => topic !== undefined)
    this.#changed.clear()
    for (const topic of topics) this.#tell(listener => listener.topicChanged?.(topic))
  }

  /** What has happened is true for all of them, whatever one makes of it. */
  #tell(told: (listener: CatalogListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        told(listener)
      } catch (error) {
        this.#reportBug(error)
      }
    }
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

function byName<Named extends { readonly name: string }>(topics: Named[]): Named[] {
  return topics.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether a topic's records are numbered by their writer; it is from its beginning or never. */
function isNumbered(configs: ReadonlyMap<string, string>): boolean {
  return configs.get('odradek.partitioning') === 'vlsn'
}

function firstState(partitionCount: number, configs: ReadonlyMap<string, string>): VlsnState {
  const start = BigInt(configs.get('odradek.vlsn.start') ?? 0)
  return { eras: [{ firstVlsn: 0n, partitionCount }], start, closed: { from: start, to: start } }
}

function vlsnRecord(topicId: string, { eras, start, closed }: VlsnState): CatalogRecord {
  return { key: keyOf(4, { topicId }), value: valueOf(4, { eras: [...eras], start, closed }) }
}

function topicRecord(topicId: string, value: Draft<typeof TopicValue>): CatalogRecord {
  return { key: keyOf(1, { topicId }), value: valueOf(1, value) }
}

interface ConfiguredResource extends ConfigResource {
  readonly configs: ReadonlyMap<string, string>
}

const nothing: ReadonlyMap<string, string> = new Map()

function resourceKey({ resourceType, resourceName }: ConfigResource): string {
  return `${resourceType}:${resourceName}`
}

function areSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value)
}

function mapOf(configs: readonly { name: string; value: string }[]): Map<string, string> {
  return new Map(configs.map(({ name, value }) => [name, value]))
}

function listOf(configs: ReadonlyMap<string, string>): { name: string; value: string }[] {
  return [...configs].map(([name, value]) => ({ name, value }))
}

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
