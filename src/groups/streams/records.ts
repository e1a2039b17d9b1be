import type { StateRecord } from '../../coordination/state-topic.ts'
import type { StreamsGroupMetadataValue } from '../../protocol/messages/consumer-offsets-records.ts'
import type { Draft } from '../../protocol/schema.ts'
import { groupRecord, type CoordinatorRecord } from '../records.ts'
import { memberStates, type StreamsMember } from './member.ts'
import { taskId, taskList, type AssignmentEpochs, type Tasks } from './tasks.ts'
import type { Topology } from './topology.ts'

/** What a record says of a streams group. A value of null removes what its key names. */
export type StreamsRecord = Extract<CoordinatorRecord, { readonly type: `streamsGroup${string}` }>

export function isStreamsRecord(record: CoordinatorRecord): record is StreamsRecord {
  return record.type.startsWith('streamsGroup')
}

/** A group's epoch, and what it was decided on. */
export function epochRecord(groupId: string, value: Draft<typeof StreamsGroupMetadataValue>): StateRecord {
  return groupRecord('streamsGroupMetadata', { groupId }, value)
}

export function topologyRecord(groupId: string, topology: Topology): StateRecord {
  return groupRecord('streamsGroupTopology', { groupId }, topology)
}

/** What a member says of itself. */
export function memberRecord(groupId: string, member: StreamsMember): StateRecord {
  const { memberId, rackId, clientId, clientHost, rebalanceTimeoutMs } = member
  const { topologyEpoch, processId, userEndpoint } = member
  const clientTags = Array.from(member.clientTags, ([key, value]) => ({ key, value }))
  return groupRecord(
    'streamsGroupMemberMetadata',
    { groupId, memberId },
    {
      instanceId: null,
      rackId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      topologyEpoch,
      processId,
      userEndpoint,
      clientTags: clientTags.sort((a, b) => (a.key < b.key ? -1 : 1)),
    },
  )
}

/** The epoch that the group's target assignment was made for, and when. */
export function targetRecord(groupId: string, assignmentEpoch: number, nowMs: number): StateRecord {
  const value = { assignmentEpoch, assignmentTimestamp: BigInt(nowMs) }
  return groupRecord('streamsGroupTargetAssignmentMetadata', { groupId }, value)
}

/** What a member is to have. */
export function targetMemberRecord(groupId: string, memberId: string, tasks: Tasks): StateRecord {
  return groupRecord(
    'streamsGroupTargetAssignmentMember',
    { groupId, memberId },
    {
      activeTasks: taskList(tasks.active),
      standbyTasks: taskList(tasks.standby),
      warmupTasks: taskList(tasks.warmup),
    },
  )
}

/** What a member has, and what it is still to give back. */
export function currentRecord(groupId: string, member: StreamsMember): StateRecord {
  const { memberId, memberEpoch, previousMemberEpoch, assigned, pendingRevocation } = member
  return groupRecord(
    'streamsGroupCurrentMemberAssignment',
    { groupId, memberId },
    {
      memberEpoch,
      previousMemberEpoch,
      state: memberStates[member.state],
      activeTasks: taskListWithEpochs(assigned.active),
      standbyTasks: taskList(assigned.standby),
      warmupTasks: taskList(assigned.warmup),
      activeTasksPendingRevocation: taskListWithEpochs(pendingRevocation.active),
      standbyTasksPendingRevocation: taskList(pendingRevocation.standby),
      warmupTasksPendingRevocation: taskList(pendingRevocation.warmup),
    },
  )
}

function taskListWithEpochs(epochs: AssignmentEpochs) {
  return taskList(epochs.keys()).map(({ subtopologyId, partitions }) => ({
    subtopologyId,
    partitions,
    assignmentEpochs: partitions.map(partition => epochs.get(taskId(subtopologyId, partition))!),
  }))
}

/** The records that remove a member, in the order that Kafka demands at replay. */
export function memberTombstones(groupId: string, memberId: string): StateRecord[] {
  const key = { groupId, memberId }
  return [
    groupRecord('streamsGroupCurrentMemberAssignment', key, null),
    groupRecord('streamsGroupTargetAssignmentMember', key, null),
    groupRecord('streamsGroupMemberMetadata', key, null),
  ]
}

/** The records that remove a group without members, likewise. */
export function groupTombstones(groupId: string): StateRecord[] {
  return [
    groupRecord('streamsGroupTargetAssignmentMetadata', { groupId }, null),
    groupRecord('streamsGroupMetadata', { groupId }, null),
    groupRecord('streamsGroupTopology', { groupId }, null),
  ]
}
