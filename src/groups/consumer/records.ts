import type { StateRecord } from '../../coordination/state-topic.ts'
import { groupRecord } from '../records.ts'
import { listed, type TopicPartitions } from '../modern/topic-partitions.ts'
import type { CurrentAssignment, MemberMetadata } from './member.ts'
import { listedWithEpochs } from './partition-epochs.ts'

/** The records of consumer groups, as Kafka's coordinator writes them (GroupCoordinatorRecordHelpers). */

export function groupEpoch(groupId: string, epoch: number, metadataHash: bigint): StateRecord {
  return groupRecord('consumerGroupMetadata', { groupId }, { epoch, metadataHash })
}

export function memberMetadata(groupId: string, memberId: string, metadata: MemberMetadata): StateRecord {
  return groupRecord('consumerGroupMemberMetadata', { groupId, memberId }, metadata)
}

export function targetEpoch(groupId: string, assignmentEpoch: number, nowMs: number): StateRecord {
  return groupRecord(
    'consumerGroupTargetAssignmentMetadata',
    { groupId },
    { assignmentEpoch, assignmentTimestamp: BigInt(nowMs) },
  )
}

export function memberTarget(groupId: string, memberId: string, partitions: TopicPartitions): StateRecord {
  return groupRecord(
    'consumerGroupTargetAssignmentMember',
    { groupId, memberId },
    { topicPartitions: listed(partitions) },
  )
}

export function currentAssignment(
  groupId: string,
  memberId: string,
  current: CurrentAssignment,
): StateRecord {
  return groupRecord(
    'consumerGroupCurrentMemberAssignment',
    { groupId, memberId },
    {
      memberEpoch: current.memberEpoch,
      previousMemberEpoch: current.previousMemberEpoch,
      state: current.state,
      assignedPartitions: listedWithEpochs(current.assigned),
      partitionsPendingRevocation: listedWithEpochs(current.revoking),
    },
  )
}

/** The topics that a pattern stands for; `version` is of the topics that were looked at. */
export function resolvedRegex(
  groupId: string,
  regularExpression: string,
  resolved: { readonly topics: string[]; readonly version: number; readonly nowMs: number } | null,
): StateRecord {
  return groupRecord(
    'consumerGroupRegularExpression',
    { groupId, regularExpression },
    resolved && {
      topics: resolved.topics,
      version: BigInt(resolved.version),
      timestamp: BigInt(resolved.nowMs),
    },
  )
}

/** All that says something of a member, in the order in which Kafka takes it back. */
export function memberTombstones(groupId: string, memberId: string): StateRecord[] {
  return [
    groupRecord('consumerGroupCurrentMemberAssignment', { groupId, memberId }, null),
    groupRecord('consumerGroupTargetAssignmentMember', { groupId, memberId }, null),
    groupRecord('consumerGroupMemberMetadata', { groupId, memberId }, null),
  ]
}

/** What is left of a group once its members are gone. */
export function groupTombstones(groupId: string): StateRecord[] {
  return [
    groupRecord('consumerGroupTargetAssignmentMetadata', { groupId }, null),
    groupRecord('consumerGroupMetadata', { groupId }, null),
  ]
}
