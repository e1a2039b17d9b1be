import { KafkaError } from '../../protocol/errors.ts'
import { groupRecord } from '../records.ts'
import type { Turn } from '../turn.ts'
import type { InitializedTopic, ShareGroup } from './group.ts'

/** Partitions of a topic that a group is to have offsets in. */
export type TopicPartitionsToInitialize = InitializedTopic

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
    const known = group?.initialized.get(topicId)?.partitions ?? []
    if (known.length >= length) continue
    const partitions = Array.from({ length }, (_, partition) => partition)
    missing.push({
      topicId,
      topicName,
      partitions: partitions.filter(partition => !known.includes(partition)),
    })
  }
  return missing
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
  for (const topic of added) {
    const partitions = new Set([...(topics.get(topic.topicId)?.partitions ?? []), ...topic.partitions])
    topics.set(topic.topicId, { ...topic, partitions: [...partitions].sort((a, b) => a - b) })
  }
  write(turn, groupId, topics.values())
}

/** Decides that a group has no offsets in some topics any more. */
export function writeForgotten(turn: Turn, group: ShareGroup, topicIds: ReadonlySet<string>): void {
  const left = Array.from(group.initialized.values()).filter(({ topicId }) => !topicIds.has(topicId))
  if (left.length < group.initialized.size) write(turn, group.groupId, left)
}

function write(turn: Turn, groupId: string, topics: Iterable<InitializedTopic>): void {
  const initializedTopics = Array.from(topics, topic => ({ ...topic, partitions: [...topic.partitions] }))
  const value = { initializingTopics: [], initializedTopics, deletingTopics: [] }
  turn.write(groupRecord('shareGroupStatePartitionMetadata', { groupId }, value))
}
