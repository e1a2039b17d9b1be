import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import type { OffsetDeleteRequest } from '../../protocol/messages/47-offset-delete.ts'
import { consumerProtocolType } from '../classic/group.ts'
import { choiceFor, isRead } from '../commits/choice.ts'
import { offsetCommit } from '../records.ts'
import type { Turn } from '../turn.ts'
import { noTopicId, type PlacedOffset } from './committed-offsets.ts'

/** What became of the offsets of one topic. */
export interface DeletedTopic {
  readonly name: string
  readonly partitions: { readonly partitionIndex: number; readonly errorCode: number }[]
}

/** Decides an OffsetDelete (KIP-496): offsets of topics that a living group reads stay. */
export function deleteOffsets(turn: Turn, request: OffsetDeleteRequest): DeletedTopic[] {
  const { lookup } = turn.environment
  const { groupId } = request
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  const group = turn.state.groups.get(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND')
  // Of classic groups, only of consumers is it known what they read.
  if (group.type === 'classic' && !group.isEmpty && group.protocolType !== consumerProtocolType) {
    throw new KafkaError('NON_EMPTY_GROUP')
  }
  return request.topics.map(({ name, partitions }) => {
    const partitionCount = lookup.partitionCount(name) ?? 0
    const refusal = refusalToDelete(turn, groupId, name)
    const results = partitions.map(({ partitionIndex }) => {
      const isThere = partitionIndex >= 0 && partitionIndex < partitionCount
      return { partitionIndex, errorCode: isThere ? refusal : errorCodes.UNKNOWN_TOPIC_OR_PARTITION }
    })
    const deleted = results.filter(({ errorCode }) => errorCode === errorCodes.NONE)
    if (deleted.length > 0)
      deletePartitions(
        turn,
        groupId,
        name,
        deleted.map(({ partitionIndex }) => partitionIndex),
      )
    return { name, partitions: results }
  })
}

/** Why no offset of a topic may be deleted: an error code. */
function refusalToDelete(turn: Turn, groupId: string, name: string): number {
  if (isRead(turn, groupId, name)) return errorCodes.GROUP_SUBSCRIBED_TO_TOPIC
  const isOutOfReach = choiceFor({ groupId, name }, turn)?.isOutOfReach === true
  return isOutOfReach ? errorCodes.KAFKA_STORAGE_ERROR : errorCodes.NONE
}

function deletePartitions(turn: Turn, groupId: string, name: string, partitions: readonly number[]): void {
  const choice = choiceFor({ groupId, name }, turn)
  if (choice?.isView) return choice.strategy.forgetNumber(choice.position)
  if (choice) return choice.strategy.forget(choice.position, partitions)
  const { offsets, pendingOffsets } = turn.state
  for (const partition of partitions) {
    if (offsets.get(groupId, name, partition) || pendingOffsets.has(groupId, name, partition))
      turn.write(offsetCommit({ group: groupId, topic: name, partition }, null))
  }
}

/** Decides the deletion of a group with all of its offsets. Throws NON_EMPTY_GROUP, or GROUP_ID_NOT_FOUND. */
export function deleteGroup(turn: Turn, groupId: string): void {
  const group = turn.state.groups.get(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND')
  if (!group.isEmpty) throw new KafkaError('NON_EMPTY_GROUP')
  for (const [topic, offsets] of Array.from(turn.state.offsets.of(groupId))) {
    for (const partition of Array.from(offsets.keys())) {
      turn.write(offsetCommit({ group: groupId, topic, partition }, null))
    }
  }
  forgetPending(turn, ({ group }) => group === groupId)
  for (const tombstone of group.tombstones()) turn.write(tombstone)
}

/** Decides what goes with deleted topics: their offsets, in every group; not those of topics that have their names by now. */
export function forgetTopics(
  turn: Turn,
  topics: readonly { readonly name: string; readonly id: string }[],
): void {
  const ids = new Map(topics.map(({ name, id }) => [name, id]))
  const isMeant = (topic: string, topicId: string): boolean =>
    topicId === ids.get(topic) || topicId === noTopicId
  for (const group of Array.from(turn.state.offsets.groups())) {
    const offsets = turn.state.offsets.of(group)
    // Of many topics and of many offsets, the fewer are gone through.
    for (const topic of Array.from(ids.size < offsets.size ? ids.keys() : offsets.keys())) {
      if (!ids.has(topic)) continue
      for (const [partition, { topicId }] of Array.from(offsets.get(topic) ?? []))
        if (isMeant(topic, topicId)) turn.write(offsetCommit({ group, topic, partition }, null))
    }
  }
  forgetPending(turn, ({ topic, offset }) => ids.has(topic) && isMeant(topic, offset.topicId))
}

/** Decides what should have gone with a topic that was deleted, had there been time: offsets of topics that are not there. */
export function forgetAbsentTopics(turn: Turn): void {
  const { lookup } = turn.environment
  const isAbsent = ({ topic, offset: { topicId } }: PlacedOffset): boolean =>
    (topicId === noTopicId ? lookup.topicId(topic) : lookup.topicName(topicId)) === undefined
  for (const { group, topic, partition } of Array.from(turn.state.offsets.each()).filter(isAbsent))
    turn.write(offsetCommit({ group, topic, partition }, null))
  forgetPending(turn, isAbsent)
}

/** Decides that transactions under way have no such offsets any more. */
function forgetPending(turn: Turn, isMeant: (pending: PlacedOffset) => boolean): void {
  const { pendingOffsets } = turn.state
  for (const { group, topic, partition } of Array.from(pendingOffsets.each()).filter(isMeant)) {
    // A partition may have several, of different producers, and they go together.
    if (pendingOffsets.has(group, topic, partition))
      turn.write(offsetCommit({ group, topic, partition }, null))
  }
}
