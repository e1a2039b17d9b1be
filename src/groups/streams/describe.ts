import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import type { StreamsGroupDescribeResponse } from '../../protocol/messages/89-streams-group-describe.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { Turn } from '../turn.ts'
import { StreamsGroup } from './group.ts'
import type { StreamsMember } from './member.ts'
import { taskList, type HeldTasks, type Tasks } from './tasks.ts'
import { bySubtopologyId, type InternalTopic, type Subtopology, type Topology } from './topology.ts'

export type DescribedStreamsGroup = Draft<typeof StreamsGroupDescribeResponse>['groups'][number]

/** One group of StreamsGroupDescribe. Throws GROUP_ID_NOT_FOUND. */
export function describeStreams(turn: Turn, groupId: string): DescribedStreamsGroup {
  const group = turn.state.groups.get(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
  if (!(group instanceof StreamsGroup)) {
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a streams group.`)
  }
  return {
    errorCode: errorCodes.NONE,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    topology: describeTopology(group),
    members: Array.from(group.members.values(), member =>
      describeMember(member, group.target(member.memberId)),
    ),
  }
}

/** What is said of a group that cannot be described. */
export function undescribed(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedStreamsGroup {
  const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, topology: null, members: [] }
  return { errorCode, errorMessage, groupId, ...nothing }
}

/** With the numbers of partitions that were decided, once the topics are all there. */
function describeTopology({ topology, configured }: StreamsGroup): DescribedStreamsGroup['topology'] {
  if (!topology) return null
  const isReady = configured !== undefined && !configured.topology.fault
  const subtopologies: Topology['subtopologies'] = isReady
    ? [...configured.topology.subtopologies!.values()]
    : bySubtopologyId(topology)
  return { epoch: topology.epoch, subtopologies: subtopologies.map(describeSubtopology) }
}

function describeSubtopology(subtopology: Subtopology) {
  const { subtopologyId, sourceTopics, repartitionSinkTopics } = subtopology
  return {
    subtopologyId,
    sourceTopics: sourceTopics.toSorted(),
    repartitionSinkTopics: repartitionSinkTopics.toSorted(),
    repartitionSourceTopics: byName(subtopology.repartitionSourceTopics),
    stateChangelogTopics: byName(subtopology.stateChangelogTopics),
  }
}

function byName(topics: readonly InternalTopic[]): InternalTopic[] {
  return topics.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function describeMember(member: StreamsMember, target: Tasks): DescribedStreamsGroup['members'][number] {
  const { memberId, memberEpoch, rackId, clientId, clientHost, topologyEpoch, processId, userEndpoint } =
    member
  return {
    memberId,
    memberEpoch,
    rackId,
    clientId,
    clientHost,
    topologyEpoch,
    processId,
    userEndpoint,
    instanceId: null,
    clientTags: Array.from(member.clientTags, ([key, value]) => ({ key, value })),
    taskOffsets: [],
    taskEndOffsets: [],
    assignment: describeTasks(member.assigned),
    targetAssignment: describeTasks(target),
    isClassic: false,
  }
}

function describeTasks({ active, standby, warmup }: Tasks | HeldTasks) {
  return {
    activeTasks: taskList(active.keys()),
    standbyTasks: taskList(standby),
    warmupTasks: taskList(warmup),
  }
}
