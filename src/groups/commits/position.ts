import type { OffsetCommitValue } from '../../protocol/messages/consumer-offsets-records.ts'
import type { Draft } from '../../protocol/schema.ts'
import { noTopicId, type CommittedOffset } from '../offsets/committed-offsets.ts'
import { offsetCommit } from '../records.ts'
import type { Turn } from '../turn.ts'
import type { HeardOffset, TopicHeard } from './heard-offsets.ts'
import type { NumberedTopic } from './numbered-topic.ts'

/** When an offset was committed, and when it is too old. */
export type Stamp = Pick<OffsetCommitValue, 'commitTimestamp' | 'expireTimestamp'>

/** A number to be written. */
export type NewNumber = Stamp &
  Pick<OffsetCommitValue, 'offset'> &
  Partial<Pick<OffsetCommitValue, 'leaderEpoch' | 'metadata'>>

/** Offsets by partition. */
export type Reached = ReadonlyMap<number, { readonly offset: bigint }>

/** The only partition of a view. */
const viewPartition = 0

/** How the metadata of a number begin that stands for all partitions; a reader of the view commits without. */
const marks = { kept: 'odradek.commit.strategy', left: 'odradek.commit.strategy.before' }

/** How far a number stands for all partitions. */
type Standing = keyof typeof marks

/**
 * A group's position in a topic of VLSNs, as it is in the state of a turn: the offset of each partition, and the number, which is the
 * offset of the view.
 *
 * - A number is *kept* if a strategy wrote it that keeps one: it has taken into account whatever was committed before.
 * - It is *left* once the group has gone back to offsets of the partitions: those that have none go by it.
 * - Else a reader of the view has committed it, later or earlier than each partition's offset.
 */
export class Position {
  readonly group: string
  readonly topic: NumberedTopic
  readonly #turn: Turn

  constructor(turn: Turn, group: string, topic: NumberedTopic) {
    this.#turn = turn
    this.group = group
    this.topic = topic
  }

  /** When the turn's commits are made that nobody has sent. */
  get now(): Stamp {
    return { commitTimestamp: BigInt(this.#turn.nowMs), expireTimestamp: -1n }
  }

  /** What is stored for a partition. That of a topic which had this name before says nothing. */
  stored(partition: number): CommittedOffset | undefined {
    const value = this.#turn.state.offsets.get(this.group, this.topic.name, partition)
    return isOf(this.topic.id, value) ? value : undefined
  }

  /** What is stored for the view; its offset is a VLSN. */
  get number(): CommittedOffset | undefined {
    const value = this.#turn.state.offsets.get(this.group, this.topic.viewName, viewPartition)
    return isOf(this.topic.viewId, value) ? value : undefined
  }

  get isKept(): boolean {
    return this.#standing === 'kept'
  }

  /** Whether the number says something of all partitions. */
  get isOfAll(): boolean {
    return this.#standing !== undefined
  }

  get #standing(): Standing | undefined {
    const mark = this.number?.metadata.split(' ', 1)[0]
    return mark === marks.kept ? 'kept' : mark === marks.left ? 'left' : undefined
  }

  /** What a partition was committed to, unless the view was committed after that. */
  own(partition: number): CommittedOffset | undefined {
    const value = this.stored(partition)
    return value && this.#isSuperseded(value) ? undefined : value
  }

  #isSuperseded({ order }: HeardOffset): boolean {
    return this.number !== undefined && !this.isOfAll && order < this.number.order
  }

  /** The partitions whose own offsets are older than what the view was committed to. */
  get superseded(): number[] {
    return this.partitions.filter(partition => this.stored(partition) && !this.own(partition))
  }

  get hasOwn(): boolean {
    return this.partitions.some(partition => this.own(partition) !== undefined)
  }

  get partitions(): number[] {
    return Array.from({ length: this.topic.partitionCount }, (_, partition) => partition)
  }

  /** The last commit of each partition, be it stored or only heard. */
  lastCommits(): Map<number, HeardOffset> {
    const last = new Map<number, HeardOffset>()
    const { group, topic } = this
    for (const [partition, heard] of this.#turn.state.heard.of(group, topic.viewName, topic.viewId))
      if (!this.#isSuperseded(heard)) last.set(partition, heard)
    for (const partition of this.partitions) {
      const own = this.own(partition)
      const heard = last.get(partition)
      if (own && (!heard || heard.order < own.order)) last.set(partition, own)
    }
    return last
  }

  /** Remembers the last commit of each partition, for as long as there is a number. */
  hear(commits: TopicHeard): void {
    this.#turn.state.heard.set(this.group, this.topic.viewName, this.topic.viewId, commits)
  }

  /** How far the group is in each partition: to its commit, else to the first record that the number leaves open. */
  reached(commits: Reached): (bigint | undefined)[] {
    return this.partitions.map(partition => commits.get(partition)?.offset ?? this.derived(partition))
  }

  /** The number that these commits come to; without any it stays as it is. */
  numberFor(commits: Reached): bigint | undefined {
    return commits.size > 0 ? this.topic.committedBelow(this.reached(commits)) : this.number?.offset
  }

  /** Where the number has the group go on in a partition; undefined without one. */
  derived(partition: number): bigint | undefined {
    const { number, topic } = this
    return number && topic.offsetFrom(partition, number.offset)
  }

  /** The VLSN, plus one, up to which everything is committed, as a restart would find it; undefined where nothing was committed. */
  get committedBelow(): bigint | undefined {
    const { number, topic } = this
    if (this.isKept || !this.hasOwn) return number?.offset
    return topic.committedBelow(
      this.partitions.map(partition => this.own(partition)?.offset ?? this.derived(partition)),
    )
  }

  /** What a reader of the view said with its commit. */
  get text(): string {
    const standing = this.#standing
    const metadata = this.number?.metadata ?? ''
    return standing ? metadata.slice(marks[standing].length + 1) : metadata
  }

  write(partition: number, value: Draft<typeof OffsetCommitValue>): void {
    this.#turn.write(offsetCommit({ group: this.group, topic: this.topic.name, partition }, value))
  }

  /** Writes a number that stands for all partitions. `metadata`: what a reader of the view said. */
  keep(value: NewNumber, standing: Standing = 'kept'): void {
    const { leaderEpoch = -1, metadata = '' } = value
    this.writeNumber({ ...value, leaderEpoch, metadata: `${marks[standing]} ${metadata}`.trimEnd() })
  }

  /** Writes a number as it was committed. */
  writeNumber(value: NewNumber & Pick<OffsetCommitValue, 'leaderEpoch' | 'metadata'>): void {
    this.#turn.write(offsetCommit(this.#viewKey, { ...value, topicId: this.topic.viewId }))
  }

  /** Removes what a partition has, transactions under way included. */
  remove(partition: number): void {
    const { group, topic } = this
    if (this.#turn.state.offsets.get(group, topic.name, partition) || this.isPending(partition))
      this.#turn.write(offsetCommit({ group, topic: topic.name, partition }, null))
  }

  /** Removes what the partitions have, and does not ask each: there may be thousands, and a commit of the view comes by here. */
  removeAll(): void {
    const { offsets, pendingOffsets } = this.#turn.state
    const { group, topic } = this
    const stored = offsets.of(group).get(topic.name)?.keys() ?? []
    const all = new Set([...stored, ...pendingOffsets.partitionsOf(group, topic.name)])
    for (const partition of [...all].sort((a, b) => a - b)) this.remove(partition)
  }

  removeNumber(): void {
    const { offsets, pendingOffsets } = this.#turn.state
    const { group, topic, partition } = this.#viewKey
    if (offsets.get(group, topic, partition) || pendingOffsets.has(group, topic, partition))
      this.#turn.write(offsetCommit(this.#viewKey, null))
  }

  /** Whether a transaction under way has an offset for a partition. */
  isPending(partition: number): boolean {
    return this.#turn.state.pendingOffsets.has(this.group, this.topic.name, partition)
  }

  get #viewKey() {
    return { group: this.group, topic: this.topic.viewName, partition: viewPartition }
  }
}

function isOf(topicId: string, value: CommittedOffset | undefined): boolean {
  return value !== undefined && (value.topicId === topicId || value.topicId === noTopicId)
}
