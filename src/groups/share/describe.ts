import { KafkaError } from '../../protocol/errors.ts'
import type { ShareGroupDescribeResponse } from '../../protocol/messages/77-share-group-describe.ts'
import type { Draft } from '../../protocol/schema.ts'
import { listed, type TopicPartitions } from '../modern/topic-partitions.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { Turn } from '../turn.ts'

export type DescribedShareGroup = Draft<typeof ShareGroupDescribeResponse>['groups'][number]

/** One group of ShareGroupDescribe. Throws GROUP_ID_NOT_FOUND. */
export function describeShareGroup(turn: Turn, groupId: string): DescribedShareGroup {
  const group = turn.state.share(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
  return {
    errorCode: 0,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.target.epoch,
    assignorName: 'simple',
    members: Array.from(group.members.values(), member => ({
      memberId: member.memberId,
      rackId: member.rackId,
      memberEpoch: member.memberEpoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.subscribedTopicNames],
      assignment: { topicPartitions: named(member.assigned, turn.environment.lookup) },
    })),
  }
}

/** A topic that was deleted has no name any more, and is left out. */
function named(assigned: TopicPartitions, lookup: TopicLookup) {
  return listed(assigned).flatMap(topic => {
    const topicName = lookup.topicName(topic.topicId)
    return topicName === undefined ? [] : { ...topic, topicName }
  })
}

/** A group that cannot be described, and why. */
export function undescribed(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedShareGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}
