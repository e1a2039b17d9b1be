import { KafkaError } from '../../protocol/errors.ts'
import type { StreamsGroupHeartbeatRequest } from '../../protocol/messages/88-streams-group-heartbeat.ts'
import { joinEpoch, staticLeaveEpoch } from '../modern/member-epoch.ts'
import type { ConfiguredTopology } from './configured-topology.ts'
import { partsOf, roles, type Tasks } from './tasks.ts'

type Request = StreamsGroupHeartbeatRequest

/**
 * Throws INVALID_REQUEST for what no member sends, or what Kafka 4.3 does not serve yet either, in its order of checks; and
 * STREAMS_INVALID_TOPOLOGY (GroupCoordinatorService.throwIfStreamsGroupHeartbeatRequestIs...).
 */
export function validate(request: Request): void {
  checkFeatures(request)
  checkFields(request)
}

function checkFeatures(request: Request): void {
  refuseIf(request.instanceId !== null, 'Static membership is not yet supported.')
  refuseIf(request.taskOffsets !== null, 'TaskOffsets are not supported yet.')
  refuseIf(request.taskEndOffsets !== null, 'TaskEndOffsets are not supported yet.')
  refuseIf((request.warmupTasks ?? []).length > 0, 'WarmupTasks are not supported yet.')
  refuseIf(
    (request.topology?.subtopologies ?? []).some(({ sourceTopicRegex }) => sourceTopicRegex.length > 0),
    'Regular expressions for source topics are not supported yet.',
  )
}

function checkFields(request: Request): void {
  const { memberId, groupId, rackId, memberEpoch, topology, activeTasks, standbyTasks, warmupTasks } = request
  refuseIf(memberId.trim() === '', "MemberId can't be empty.")
  refuseIf(groupId.trim() === '', "GroupId can't be empty.")
  refuseIf(rackId?.trim() === '', "RackId can't be empty.")
  if (memberEpoch === joinEpoch) {
    refuseIf(request.rebalanceTimeoutMs === -1, 'RebalanceTimeoutMs must be provided in first request.')
    refuseIf(activeTasks?.length !== 0, 'ActiveTasks must be empty when (re-)joining.')
    refuseIf(standbyTasks?.length !== 0, 'StandbyTasks must be empty when (re-)joining.')
    refuseIf(warmupTasks?.length !== 0, 'WarmupTasks must be empty when (re-)joining.')
    if (!topology) throw invalid('Topology must be non-null when (re-)joining.')
    checkChangelogs(topology)
  }
  refuseIf(memberEpoch === staticLeaveEpoch, "InstanceId can't be null.")
  refuseIf(
    memberEpoch < staticLeaveEpoch,
    `MemberEpoch is ${memberEpoch}, but must be greater than or equal to -2.`,
  )
  const lists = [activeTasks, standbyTasks, warmupTasks]
  refuseIf(
    lists.some(list => list !== null) && lists.some(list => list === null),
    'If one task-type is non-null, all must be non-null.',
  )
  refuseIf(memberEpoch !== joinEpoch && topology !== null, 'Topology can only be provided when (re-)joining.')
}

/** A changelog has as many partitions as there are tasks, which nobody but the broker can tell. */
function checkChangelogs({ subtopologies }: NonNullable<Request['topology']>): void {
  for (const { stateChangelogTopics } of subtopologies) {
    const decided = stateChangelogTopics.find(({ partitions }) => partitions !== 0)
    if (!decided) continue
    throw new KafkaError(
      'STREAMS_INVALID_TOPOLOGY',
      `Changelog topic ${decided.name} must have an undefined partition count, but it is set to ${decided.partitions}.`,
    )
  }
}

/** Throws INVALID_REQUEST for tasks that the topology does not have. */
export function checkTasks({ subtopologies }: ConfiguredTopology, owned: Tasks): void {
  for (const task of roles.flatMap(role => [...owned[role]])) {
    const { subtopologyId, partition } = partsOf(task)
    const subtopology = subtopologies?.get(subtopologyId)
    if (!subtopology) throw invalid(`Subtopology ${subtopologyId} does not exist in the topology.`)
    if (partition >= 0 && partition < subtopology.taskCount) continue
    throw invalid(
      `Task ${partition} for subtopology ${subtopologyId} is invalid. Number of tasks for this subtopology: ${subtopology.taskCount}`,
    )
  }
}

function refuseIf(isWrong: boolean, message: string): void {
  if (isWrong) throw invalid(message)
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}
