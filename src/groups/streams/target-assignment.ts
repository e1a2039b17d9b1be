import type { Turn } from '../turn.ts'
import type { ConfiguredTopology } from './configured-topology.ts'
import type { StreamsGroup } from './group.ts'
import type { Target } from './reconcile.ts'
import { targetMemberRecord, targetRecord } from './records.ts'
import { status, type Status } from './status.ts'
import { assignSticky } from './sticky-assignor.ts'
import { areSameTasks, noTasks, roles, type Tasks } from './tasks.ts'

/** The assignor's settings, by the names that Kafka keeps them under. */
export function assignmentConfigs(turn: Turn, groupId: string): ReadonlyMap<string, string> {
  const replicas = turn.environment.configs.get('streams.num.standby.replicas', groupId)
  return new Map([['num.standby.replicas', String(replicas)]])
}

/** Has the first assignment of a group that was empty wait for more members, where it is to (streams.initial.rebalance.delay.ms). */
export function delayInitialAssignment(turn: Turn, group: StreamsGroup): void {
  const delayMs = turn.environment.configs.get('streams.initial.rebalance.delay.ms', group.groupId)
  if (delayMs === 0 || group.initialDelay.isSet) return
  group.initialDelay.set(
    delayMs,
    turn.later(turn => {
      if (!group.isEmpty && group.configured) bringUpToDate(turn, group, group.configured.topology, [])
    }),
  )
}

/**
 * Computes who is to have what, if that is due: the group has a newer epoch, and the time between two assignments is over.
 * Tells in `statuses` when it is due and has to wait (GroupMetadataManager.maybeUpdateStreamsTargetAssignment).
 */
export function bringUpToDate(
  turn: Turn,
  group: StreamsGroup,
  topology: ConfiguredTopology,
  statuses: Status[],
): void {
  if (group.initialDelay.isSet) {
    const detail = 'Assignment delayed due to the configured initial rebalance delay.'
    statuses.push(status('ASSIGNMENT_DELAYED', detail))
  } else if (group.assignmentEpoch < group.epoch) {
    if (isIntervalOver(turn, group)) assign(turn, group, topology)
    else {
      const detail = 'Assignment delayed due to the configured assignment interval.'
      statuses.push(status('ASSIGNMENT_DELAYED', detail))
    }
  }
}

/** What a member is to come to now. While the first assignment waits there is nothing to have. */
export function targetOf(group: StreamsGroup, memberId: string): Target {
  const tasks = group.initialDelay.isSet ? noTasks : group.target(memberId)
  return { epoch: group.assignmentEpoch, tasks }
}

function isIntervalOver(turn: Turn, { groupId, assignedAtMs }: StreamsGroup): boolean {
  if (assignedAtMs === 0) return true
  const intervalMs = turn.environment.configs.get('streams.assignment.interval.ms', groupId)
  // No interval helps out where the clock was put back by far.
  return intervalMs === 0 || turn.nowMs >= assignedAtMs + intervalMs
}

function assign(turn: Turn, group: StreamsGroup, topology: ConfiguredTopology): void {
  const { groupId, epoch } = group
  const assigned = topology.fault ? undefined : assignSticky(inputOf(group, topology))
  for (const memberId of group.members.keys()) {
    const tasks = assigned?.get(memberId) ?? noTasks
    if (group.hasTarget(memberId) && areSame(group.target(memberId), tasks)) continue
    turn.write(targetMemberRecord(groupId, memberId, tasks))
  }
  turn.write(targetRecord(groupId, epoch, turn.nowMs))
  turn.environment.logger.info({ group: groupId, epoch }, 'a streams group has a new assignment')
}

function inputOf(group: StreamsGroup, { subtopologies }: ConfiguredTopology) {
  return {
    members: Array.from(group.members.values(), ({ memberId, processId }) => ({
      memberId,
      processId,
      target: group.target(memberId),
    })),
    subtopologies: Array.from(subtopologies!.values(), each => ({
      subtopologyId: each.subtopologyId,
      taskCount: each.taskCount,
      isStateful: each.stateChangelogTopics.length > 0,
    })),
    numStandbyReplicas: Number(group.lastAssignmentConfigs.get('num.standby.replicas') ?? 0),
  }
}

function areSame(a: Tasks, b: Tasks): boolean {
  return roles.every(role => areSameTasks(a[role], b[role]))
}
