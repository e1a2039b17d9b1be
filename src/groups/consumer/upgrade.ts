import { KafkaError } from '../../protocol/errors.ts'
import { consumerProtocolType, type ClassicGroup } from '../classic/group.ts'
import type { ClassicMember } from '../classic/member.ts'
import { metadataHash } from '../modern/topic-metadata.ts'
import { addPartition, each, type TopicPartitions } from '../modern/topic-partitions.ts'
import type { Turn } from '../turn.ts'
import { keepAlive } from './deadlines.ts'
import { assignmentOf, partitionsByName, subscriptionOf } from './embedded-protocol.ts'
import { ConsumerGroup } from './group.ts'
import { memberStates, sortedNames, type MemberMetadata } from './member.ts'
import { atEpoch, noPartitionEpochs } from './partition-epochs.ts'
import { currentAssignment, groupEpoch, memberMetadata, memberTarget, targetEpoch } from './records.ts'

/** A classic group that can become a consumer group. */
export interface Upgrade {
  readonly memberCount: number
  carryOut(): ConsumerGroup
}

/** A classic member as one of a consumer group. */
interface Converted {
  readonly memberId: string
  readonly metadata: MemberMetadata
  readonly assigned: TopicPartitions
}

/**
 * Looks whether a classic group with members can become a consumer group of the same members, each with what it has now. They go on
 * in the classic protocol, which the consumer group speaks with them (KIP-848, `group.consumer.migration.policy`). Throws
 * GROUP_ID_NOT_FOUND, as Kafka does, where it cannot.
 */
export function planUpgrade(turn: Turn, classic: ClassicGroup): Upgrade {
  const { groupConsumerMigrationPolicy, groupConsumerMaxSize } = turn.environment.settings
  if (groupConsumerMigrationPolicy !== 'bidirectional' && groupConsumerMigrationPolicy !== 'upgrade')
    throw refusal(classic, 'online upgrade is disabled')
  if (classic.protocolType !== consumerProtocolType)
    throw refusal(classic, 'the group does not use the consumer embedded protocol')
  if (classic.members.size > groupConsumerMaxSize)
    throw refusal(classic, 'the group size exceeds the consumer group maximum size')
  const protocol = classic.protocolName ?? classic.electProtocol()
  const taken = new Map<string, Set<number>>()
  const members = Array.from(classic.members.values(), member =>
    convert(turn, classic, member, protocol, taken),
  )
  return { memberCount: members.length, carryOut: () => carryOut(turn, classic, members) }
}

function convert(
  turn: Turn,
  classic: ClassicGroup,
  member: ClassicMember,
  protocol: string,
  taken: Map<string, Set<number>>,
): Converted {
  const subscription = subscriptionOf(member.metadata(protocol))
  const assignment = assignmentOf(member.assignment)
  if (!subscription || !assignment) throw refusal(classic, 'the embedded consumer protocol is malformed')
  if (assignment.userData !== null && assignment.userData.length > 0)
    throw refusal(
      classic,
      'an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting the upgrade',
    )
  const assigned = new Map<string, Set<number>>()
  // A leader that is not Kafka's may have assigned a partition twice: here it has one owner, the first.
  for (const [topicId, partition] of each(
    partitionsByName(assignment.assignedPartitions, turn.environment.lookup),
  )) {
    if (taken.get(topicId)?.has(partition)) continue
    addPartition(taken, topicId, partition)
    addPartition(assigned, topicId, partition)
  }
  return {
    memberId: member.memberId,
    assigned,
    metadata: {
      instanceId: member.groupInstanceId,
      rackId: subscription.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: sortedNames(subscription.topics),
      subscribedTopicRegex: '',
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: null,
      classicMemberMetadata: {
        sessionTimeoutMs: member.sessionTimeoutMs,
        supportedProtocols: member.protocols.map(({ name, metadata }) => ({ name, metadata })),
      },
    },
  }
}

function carryOut(turn: Turn, classic: ClassicGroup, members: readonly Converted[]): ConsumerGroup {
  const { groupId, generationId } = classic
  for (const member of classic.members.values()) {
    turn.refuse(member.takeJoin(), 'REBALANCE_IN_PROGRESS')
    turn.refuse(member.takeSync(), 'REBALANCE_IN_PROGRESS')
  }
  for (const tombstone of classic.tombstones()) turn.write(tombstone)
  const group = turn.state.put(new ConsumerGroup(groupId, turn.environment.clock))
  for (const { memberId, metadata } of members) turn.write(memberMetadata(groupId, memberId, metadata))
  turn.write(groupEpoch(groupId, generationId, metadataHash(group.subscribedTopics, turn.environment.lookup)))
  for (const { memberId, assigned } of members) turn.write(memberTarget(groupId, memberId, assigned))
  turn.write(targetEpoch(groupId, generationId, 0))
  for (const { memberId, assigned } of members) {
    turn.write(
      currentAssignment(groupId, memberId, {
        memberEpoch: generationId,
        previousMemberEpoch: generationId,
        state: memberStates.stable,
        assigned: atEpoch(assigned, generationId),
        revoking: noPartitionEpochs,
      }),
    )
  }
  for (const member of group.members.values()) keepAlive(turn, group, member)
  turn.environment.logger.info(
    { group: groupId, members: members.length },
    'a classic group becomes a consumer group',
  )
  return group
}

function refusal({ groupId }: ClassicGroup, reason: string): KafkaError {
  return new KafkaError(
    'GROUP_ID_NOT_FOUND',
    `Cannot upgrade classic group ${groupId} to consumer group because ${reason}.`,
  )
}
