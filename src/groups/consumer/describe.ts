import { KafkaError } from '../../protocol/errors.ts'
import type { ConsumerGroupDescribeResponse } from '../../protocol/messages/69-consumer-group-describe.ts'
import type { Draft } from '../../protocol/schema.ts'
import { listed, type TopicPartitions } from '../modern/topic-partitions.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { Turn } from '../turn.ts'
import { consumerGroup } from './leave.ts'
import type { ConsumerMember } from './member.ts'
import { merged } from './partition-epochs.ts'

export type DescribedConsumers = Draft<typeof ConsumerGroupDescribeResponse>['groups'][number]
type DescribedMember = DescribedConsumers['members'][number]
type DescribedAssignment = DescribedMember['assignment']

/** Kafka's numbers of the protocols that members speak. */
const memberTypes = { classic: 0, consumer: 1 } as const

/** One group of ConsumerGroupDescribe. Throws GROUP_ID_NOT_FOUND where it is not, or is of another type. */
export function describeConsumers(turn: Turn, groupId: string): DescribedConsumers {
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  const group = consumerGroup(turn, groupId)
  const { lookup, settings } = turn.environment
  return {
    errorCode: 0,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.target.epoch,
    assignorName: group.assignorName(settings.groupConsumerAssignors[0]!),
    members: Array.from(group.members.values(), member =>
      describeMember(member, group.target.of(member.memberId), lookup),
    ),
  }
}

/** What a member has includes what it is still to let go of. */
function describeMember(
  { memberId, metadata, current, isClassic }: ConsumerMember,
  target: TopicPartitions,
  lookup: TopicLookup,
): DescribedMember {
  return {
    memberId,
    instanceId: metadata.instanceId,
    rackId: metadata.rackId,
    memberEpoch: current.memberEpoch,
    clientId: metadata.clientId,
    clientHost: metadata.clientHost,
    subscribedTopicNames: metadata.subscribedTopicNames,
    subscribedTopicRegex: metadata.subscribedTopicRegex,
    assignment: named(merged(current.assigned, current.revoking), lookup),
    targetAssignment: named(target, lookup),
    memberType: isClassic ? memberTypes.classic : memberTypes.consumer,
  }
}

/** Topics that are gone are left out. */
function named(partitions: TopicPartitions, lookup: TopicLookup): DescribedAssignment {
  const topicPartitions = []
  for (const each of listed(partitions)) {
    const topicName = lookup.topicName(each.topicId)
    if (topicName !== undefined) topicPartitions.push({ ...each, topicName })
  }
  return { topicPartitions }
}
