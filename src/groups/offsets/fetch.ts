import { errorCodes } from '../../protocol/errors.ts'
import type { OffsetFetchRequest } from '../../protocol/messages/09-offset-fetch.ts'
import { choiceFor, type Choice } from '../commits/choice.ts'
import type { ToldOffset } from '../commits/strategy.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { Turn } from '../turn.ts'
import { noTopicId, type TopicOffsets } from './committed-offsets.ts'

/** From version 8 on a request asks for several groups (KIP-709). */
export const manyGroupsVersion = 8
/** From version 10 on topics go by their ids (KIP-848). */
export const topicIdsVersion = 10

/** One group of a request, whatever its version; `topics` of null asks for all. */
export type AskedGroup = Pick<RequestGroup, 'groupId' | 'topics'> &
  Partial<Pick<RequestGroup, 'memberId' | 'memberEpoch'>>

type RequestGroup = OffsetFetchRequest['groups'][number]

export interface FetchedPartition {
  readonly partitionIndex: number
  readonly committedOffset: bigint
  readonly committedLeaderEpoch: number
  readonly metadata: string
  readonly errorCode: number
}

export interface FetchedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: FetchedPartition[]
}

/** What is said of one group; with an error, nothing else. */
export interface FetchedGroup {
  readonly groupId: string
  readonly topics: FetchedTopic[]
  readonly errorCode: number
}

/** How a group's offsets are asked for. */
export interface FetchManner {
  readonly version: number
  /** Offsets that a transaction may change are not told (KIP-447). */
  readonly requireStable: boolean
}

/** What is told of a partition: an offset, or why there is none. */
interface Told extends ToldOffset {
  readonly errorCode: number
  /** The topic that the offset was committed for, where it may be another of the same name. */
  readonly topicId: string
}

/** Decides one group of an OffsetFetch. What was never committed has offset -1; so has a group that is not there. Throws as `Group.checkFetch` does. */
export function fetchOffsets(
  turn: Turn,
  asked: AskedGroup,
  { version, requireStable }: FetchManner,
): FetchedGroup {
  const { groupId } = asked
  turn.state.groups.get(groupId)?.checkFetch(asked.memberId ?? null, asked.memberEpoch ?? -1)
  const byId = version >= topicIdsVersion
  const offsets = new ToldOffsets(turn, groupId, requireStable)
  const topics = asked.topics
    ? asked.topics.map(topic => fetchTopic(topic, offsets, turn.environment.lookup, byId))
    : fetchAll(offsets, turn.environment.lookup, byId)
  return { groupId, topics, errorCode: errorCodes.NONE }
}

function fetchTopic(
  asked: NonNullable<AskedGroup['topics']>[number],
  offsets: ToldOffsets,
  lookup: TopicLookup,
  byId: boolean,
): FetchedTopic {
  const { topicId, partitionIndexes } = asked
  const name = byId ? lookup.topicName(topicId) : asked.name
  if (name === undefined) {
    const unknown = partitionIndexes.map(index => told(index, nothing(errorCodes.UNKNOWN_TOPIC_ID)))
    return { name: '', topicId, partitions: unknown }
  }
  const { tell } = offsets.of(name)
  return {
    name,
    topicId,
    partitions: partitionIndexes.map(partitionIndex => {
      const value = tell(partitionIndex)
      // An offset of a topic that had this name before says nothing about the one that has it now.
      const isOfAnother = byId && value && value.topicId !== noTopicId && value.topicId !== topicId
      return told(partitionIndex, value && !isOfAnother ? value : nothing(errorCodes.NONE))
    }),
  }
}

/** Everything that a group has. A topic that no id can be found for cannot be told to those who go by ids. */
function fetchAll(offsets: ToldOffsets, lookup: TopicLookup, byId: boolean): FetchedTopic[] {
  const topics: FetchedTopic[] = []
  for (const name of offsets.names()) {
    const topicId = lookup.topicId(name)
    if (byId && topicId === undefined) continue
    const { partitions, tell } = offsets.of(name)
    const fetched = Array.from(partitions, index => told(index, tell(index) ?? nothing(errorCodes.NONE)))
    if (fetched.length > 0) topics.push({ name, topicId: topicId ?? noTopicId, partitions: fetched })
  }
  return topics
}

/** What may be told of the offsets of one topic. */
interface TopicTold {
  /** The partitions that have one. */
  readonly partitions: Iterable<number>
  tell(partition: number): Told | undefined
}

/** What may be told of the offsets of a group, be they stored or follow from others. */
class ToldOffsets {
  readonly #turn: Turn
  readonly #groupId: string
  readonly #requireStable: boolean

  constructor(turn: Turn, groupId: string, requireStable: boolean) {
    this.#turn = turn
    this.#groupId = groupId
    this.#requireStable = requireStable
  }

  /** The topics that the group may have offsets of; where VLSNs are numbered, those of a topic may follow from its view's. */
  names(): Set<string> {
    const stored = [...this.#stored.keys()]
    const numbered = stored.map(name => this.#turn.environment.lookup.numbered(name))
    return new Set([...stored, ...numbered.flatMap(topic => (topic ? [topic.name, topic.viewName] : []))])
  }

  of(name: string): TopicTold {
    const choice = choiceFor({ groupId: this.#groupId, name }, this.#turn)
    if (choice) return this.#ofNumbered(choice, name)
    const offsets = this.#stored.get(name)
    return {
      partitions: offsets?.keys() ?? [],
      tell: partition =>
        this.#isUnstable(name, partition) ? unstable : withoutError(offsets?.get(partition)),
    }
  }

  #ofNumbered({ strategy, position, isView, isOutOfReach, keepsNumber }: Choice, name: string): TopicTold {
    const partitions = isView ? [0] : position.partitions
    if (isOutOfReach) return { partitions, tell: () => nothing(errorCodes.KAFKA_STORAGE_ERROR) }
    const { id, viewId } = position.topic
    const topicId = isView ? viewId : id
    const tell = isView ? () => strategy.tellNumber(position) : strategy.teller(position)
    const isUnstable = (partition: number): boolean =>
      this.#isUnstable(name, partition) ||
      // The number may change with each of them.
      (isView && keepsNumber && position.partitions.some(each => this.#isUnstable(position.topic.name, each)))
    return {
      partitions: partitions.filter(tell),
      tell(partition) {
        if (isUnstable(partition)) return unstable
        const value = partition >= 0 && partition < partitions.length ? tell(partition) : undefined
        return value && withoutError({ ...value, topicId })
      },
    }
  }

  #isUnstable(name: string, partition: number): boolean {
    return this.#requireStable && this.#turn.state.pendingOffsets.has(this.#groupId, name, partition)
  }

  get #stored(): ReadonlyMap<string, TopicOffsets> {
    return this.#turn.state.offsets.of(this.#groupId)
  }
}

function told(partitionIndex: number, { offset, leaderEpoch, metadata, errorCode }: Told): FetchedPartition {
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode }
}

function nothing(errorCode: number): Told {
  return { offset: -1n, leaderEpoch: -1, metadata: '', topicId: noTopicId, errorCode }
}

const unstable = nothing(errorCodes.UNSTABLE_OFFSET_COMMIT)

function withoutError(value: Omit<Told, 'errorCode'> | undefined): Told | undefined {
  return value && { ...value, errorCode: errorCodes.NONE }
}
