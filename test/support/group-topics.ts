import type { NumberedTopic } from '../../src/groups/commits/numbered-topic.ts'
import type { GroupConfigs, GroupConfigValues } from '../../src/groups/group-configs.ts'
import type { TopicLookup } from '../../src/groups/topic-lookup.ts'

/** A topic's id, made from its name, and from how often it was made before. */
export function idOf(topic: string, incarnation = 0): string {
  const text = incarnation === 0 ? topic : `${topic}${incarnation}`
  return Buffer.from(text.padEnd(16, '.').slice(-16)).toString('base64url')
}

/** The topics of a test, which come, go and grow as it says. */
export class GroupTopics implements TopicLookup {
  version = 1
  readonly #topics = new Map<string, { readonly id: string; readonly partitionCount: number }>()
  readonly #numbered = new Map<string, NumberedTopic>()
  readonly #incarnations = new Map<string, number>()

  /** `counts`: how many partitions each topic has at first. */
  constructor(counts: Record<string, number> = {}) {
    for (const [name, count] of Object.entries(counts)) this.create(name, count)
  }

  create(name: string, partitionCount: number): void {
    const incarnation = this.#incarnations.get(name) ?? 0
    this.#incarnations.set(name, incarnation + 1)
    this.#topics.set(name, { id: idOf(name, incarnation), partitionCount })
    this.version++
  }

  grow(name: string, partitionCount: number): void {
    this.#topics.set(name, { ...this.#topics.get(name)!, partitionCount })
    this.version++
  }

  delete(name: string): void {
    this.#topics.delete(name)
    this.version++
  }

  /** Makes a topic of VLSNs, and its view. */
  createNumbered(topic: NumberedTopic): void {
    this.#topics.set(topic.name, topic)
    this.#topics.set(topic.viewName, { id: topic.viewId, partitionCount: 1 })
    for (const name of [topic.name, topic.viewName]) this.#numbered.set(name, topic)
    this.version++
  }

  numbered(name: string): NumberedTopic | undefined {
    return this.#numbered.get(name)
  }

  names(): Iterable<string> {
    return this.#topics.keys()
  }

  partitionCount(name: string): number | undefined {
    return this.#topics.get(name)?.partitionCount
  }

  topicId(name: string): string | undefined {
    return this.#topics.get(name)?.id
  }

  topicName(topicId: string): string | undefined {
    for (const [name, { id }] of this.#topics) if (id === topicId) return name
    return undefined
  }
}

/** Kafka's defaults, but that assignments need not wait for each other. */
export const groupConfigDefaults: GroupConfigValues = {
  'consumer.assignment.interval.ms': 0,
  'consumer.heartbeat.interval.ms': 5_000,
  'consumer.session.timeout.ms': 45_000,
  'odradek.commit.strategy': 'per_partition',
  'share.assignment.interval.ms': 0,
  'share.auto.offset.reset': 'latest',
  'share.delivery.count.limit': 5,
  'share.heartbeat.interval.ms': 5_000,
  'share.isolation.level': 'read_uncommitted',
  'share.partition.max.record.locks': 2_000,
  'share.record.lock.duration.ms': 30_000,
  'share.renew.acknowledge.enable': true,
  'share.session.timeout.ms': 45_000,
  'streams.assignment.interval.ms': 0,
  'streams.heartbeat.interval.ms': 5_000,
  'streams.initial.rebalance.delay.ms': 0,
  'streams.num.standby.replicas': 0,
  'streams.session.timeout.ms': 45_000,
}

/** The group settings of a test, which it alters as it goes. */
export class TestGroupConfigs implements GroupConfigs {
  readonly #values = new Map<string, unknown>()

  set<Name extends keyof GroupConfigValues>(
    name: Name,
    groupId: string,
    value: GroupConfigValues[Name],
  ): void {
    this.#values.set(`${groupId} ${name}`, value)
  }

  get<Name extends keyof GroupConfigValues>(name: Name, groupId: string): GroupConfigValues[Name] {
    const value = this.#values.get(`${groupId} ${name}`)
    return value === undefined ? groupConfigDefaults[name] : (value as GroupConfigValues[Name])
  }
}
