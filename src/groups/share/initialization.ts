import { KafkaError } from '../../protocol/errors.ts'
import { groupRecord } from '../records.ts'
import type { Turn } from '../turn.ts'
import type { InitializedTopic, ShareGroup } from './group.ts'

/** Partitions of a topic that a group is to have offsets in. */
export interface TopicPartitionsToInitialize extends InitializedTopic {
  /** What the share coordinator may know of them is of offsets that are being deleted. */
  readonly isDeleting: boolean
}

/** What the members of a group read, and `names`, as far as the group has no offsets there yet. */
export function uninitialized(
  turn: Turn,
  group: ShareGroup | undefined,
  names: readonly string[],
): TopicPartitionsToInitialize[] {
  const { lookup } = turn.environment
  const missing: TopicPartitionsToInitialize[] = []
  for (const topicName of new Set([...(group?.subscribedTopicNames ?? []), ...names])) {
    const topicId = lookup.topicId(topicName)
    if (topicId === undefined) continue
    const length = lookup.partitionCount(topicName)!
    const known = new Set(group?.initialized.get(topicId)?.partitions)
    if (known.size >= length) continue
    missing.push({
      topicId,
      topicName,
      partitions: allPartitions(length).filter(partition => !known.has(partition)),
      isDeleting: group?.deleting.has(topicId) === true,
    })
  }
  return missing
}

function allPartitions(length: number): number[] {
  return Array.from({ length }, (_, partition) => partition)
}

/**
 * Decides that a group has offsets in more partitions: the share coordinator knows of them by now. Throws GROUP_ID_NOT_FOUND where
 * another type of group has come meanwhile.
 */
export function writeInitialized(turn: Turn, groupId: string, added: readonly InitializedTopic[]): void {
  const group = turn.state.share(groupId)
  if (!group && turn.state.groups.has(groupId))
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a share group.`)
  const topics = new Map(group?.initialized)
  const deleting = new Map(group?.deleting)
  for (const { topicId, topicName, partitions } of added) {
    const all = new Set([...(topics.get(topicId)?.partitions ?? []), ...partitions])
    topics.set(topicId, { topicId, topicName, partitions: [...all].sort((a, b) => a - b) })
    if (all.size >= (turn.environment.lookup.partitionCount(topicName) ?? 0)) deleting.delete(topicId)
  }
  write(turn, groupId, topics.values(), deleting)
}

/**
 * Decides that a group is to have no offsets in some topics any more: where the share coordinator may know of some, which is to forget
 * them next. Until it has, whoever needs those partitions does not go on from what it knows.
 */
export function writeDeleting(
  turn: Turn,
  group: ShareGroup,
  isMeant: (topicId: string) => boolean,
): InitializedTopic[] {
  const { lookup } = turn.environment
  const deleted = Array.from(group.initialized.values()).filter(({ topicId }) => isMeant(topicId))
  // Of a deletion that was not finished.
  for (const [topicId, topicName] of group.deleting) {
    if (!isMeant(topicId) || lookup.topicId(topicName) !== topicId) continue
    deleted.push({ topicId, topicName, partitions: allPartitions(lookup.partitionCount(topicName)!) })
  }
  if (deleted.length === 0) return deleted
  const left = Array.from(group.initialized.values()).filter(({ topicId }) => !isMeant(topicId))
  const deleting = new Map(group.deleting)
  for (const { topicId, topicName } of deleted) deleting.set(topicId, topicName)
  write(turn, group.groupId, left, deleting)
  return deleted
}

/** Decides that the share coordinator has forgotten what was to be deleted. */
export function writeDeleted(turn: Turn, group: ShareGroup, topics: readonly InitializedTopic[]): void {
  const deleting = new Map(group.deleting)
  for (const { topicId } of topics) deleting.delete(topicId)
  if (deleting.size < group.deleting.size) write(turn, group.groupId, group.initialized.values(), deleting)
}

/** Decides that there are some topics no more. */
export function writeForgotten(turn: Turn, group: ShareGroup, isMeant: (topicId: string) => boolean): void {
  const left = Array.from(group.initialized.values()).filter(({ topicId }) => !isMeant(topicId))
  const deleting = new Map(Array.from(group.deleting).filter(([topicId]) => !isMeant(topicId)))
  if (left.length === group.initialized.size && deleting.size === group.deleting.size) return
  write(turn, group.groupId, left, deleting)
}

function write(
  turn: Turn,
  groupId: string,
  topics: Iterable<InitializedTopic>,
  deleting: ReadonlyMap<string, string>,
): void {
  const initializedTopics = Array.from(topics, topic => ({ ...topic, partitions: [...topic.partitions] }))
  const deletingTopics = Array.from(deleting, ([topicId, topicName]) => ({ topicId, topicName }))
  const value = { initializingTopics: [], initializedTopics, deletingTopics }
  turn.write(groupRecord('shareGroupStatePartitionMetadata', { groupId }, value))
}
