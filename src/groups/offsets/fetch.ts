import { errorCodes } from '../../protocol/errors.ts'
import type { OffsetFetchRequest } from '../../protocol/messages/09-offset-fetch.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { Turn } from '../turn.ts'
import { noTopicId, type CommittedOffset, type TopicOffsets } from './committed-offsets.ts'

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

/** Whether an offset can be told: an error code. */
type Judge = (topic: string, partition: number) => number

/** Decides one group of an OffsetFetch. What was never committed has offset -1; so has a group that is not there. Throws as `Group.checkFetch` does. */
export function fetchOffsets(
  turn: Turn,
  asked: AskedGroup,
  { version, requireStable }: FetchManner,
): FetchedGroup {
  const { lookup } = turn.environment
  turn.state.groups.get(asked.groupId)?.checkFetch(asked.memberId ?? null, asked.memberEpoch ?? -1)
  const byId = version >= topicIdsVersion
  const { groupId } = asked
  const { offsets, pendingOffsets } = turn.state
  const committed = offsets.of(groupId)
  const judge: Judge = (topic, partition) =>
    requireStable && pendingOffsets.has(groupId, topic, partition)
      ? errorCodes.UNSTABLE_OFFSET_COMMIT
      : errorCodes.NONE
  const topics = asked.topics
    ? asked.topics.map(topic => fetchTopic(topic, committed, lookup, byId, judge))
    : fetchAll(committed, lookup, byId, judge)
  return { groupId, topics, errorCode: errorCodes.NONE }
}

function fetchTopic(
  asked: NonNullable<AskedGroup['topics']>[number],
  committed: ReadonlyMap<string, TopicOffsets>,
  lookup: TopicLookup,
  byId: boolean,
  judge: Judge,
): FetchedTopic {
  const { topicId, partitionIndexes } = asked
  const name = byId ? lookup.topicName(topicId) : asked.name
  const offsets = name === undefined ? undefined : committed.get(name)
  return {
    name: name ?? '',
    topicId,
    partitions: partitionIndexes.map(partitionIndex => {
      if (name === undefined) return uncommitted(partitionIndex, errorCodes.UNKNOWN_TOPIC_ID)
      const value = offsets?.get(partitionIndex)
      // An offset of a topic that had this name before says nothing about the one that has it now.
      const isOfAnother = byId && value && value.topicId !== noTopicId && value.topicId !== topicId
      const errorCode = judge(name, partitionIndex)
      return value && !isOfAnother && errorCode === errorCodes.NONE
        ? fetched(partitionIndex, value)
        : uncommitted(partitionIndex, errorCode)
    }),
  }
}

/** Everything that a group has. A topic that no id can be found for cannot be told to those who go by ids. */
function fetchAll(
  committed: ReadonlyMap<string, TopicOffsets>,
  lookup: TopicLookup,
  byId: boolean,
  judge: Judge,
): FetchedTopic[] {
  const topics: FetchedTopic[] = []
  for (const [name, offsets] of committed) {
    const topicId = lookup.topicId(name)
    if (byId && topicId === undefined) continue
    const partitions = Array.from(offsets, ([index, value]) => {
      const errorCode = judge(name, index)
      return errorCode === errorCodes.NONE ? fetched(index, value) : uncommitted(index, errorCode)
    })
    topics.push({ name, topicId: topicId ?? noTopicId, partitions })
  }
  return topics
}

function fetched(partitionIndex: number, value: CommittedOffset): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: value.offset,
    committedLeaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    errorCode: errorCodes.NONE,
  }
}

function uncommitted(partitionIndex: number, errorCode: number): FetchedPartition {
  return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode }
}
