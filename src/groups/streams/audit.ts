import type { StreamsGroup } from './group.ts'
import { taskList, type HeldTasks, type TaskId } from './tasks.ts'

/** What is unsound in a streams group, in words: above all, a task that two run at the same time. */
export function auditStreams({ groupId, members, assignmentEpoch, epoch }: StreamsGroup): string[] {
  const problems: string[] = []
  const runners = new Map<TaskId, string>()
  const directories = new Map<string, string>()
  if (assignmentEpoch > epoch) problems.push('its target is of an epoch that it has not reached')
  for (const { memberId, memberEpoch, processId, assigned, pendingRevocation } of members.values()) {
    if (memberEpoch > epoch) problems.push(`${memberId} is in an epoch that the group has not reached`)
    for (const tasks of [assigned, pendingRevocation]) {
      for (const task of tasks.active.keys()) {
        const runner = runners.get(task)
        if (runner !== undefined) problems.push(`${task} is run by ${runner} and ${memberId}`)
        runners.set(task, memberId)
      }
      for (const task of [...tasks.active.keys(), ...tasks.standby, ...tasks.warmup]) {
        const place = `${processId} ${task}`
        const other = directories.get(place)
        if (other !== undefined)
          problems.push(`${task} is in ${processId} twice, of ${other} and ${memberId}`)
        directories.set(place, memberId)
      }
    }
  }
  return problems.map(problem => `group ${groupId}: ${problem}`)
}

/** As in Group. */
export function durableStreams(group: StreamsGroup): string {
  const members = Array.from(group.members.values(), member => [
    member.memberId,
    member.processId,
    member.topologyEpoch,
    member.memberEpoch,
    member.previousMemberEpoch,
    member.state,
    held(member.assigned),
    held(member.pendingRevocation),
    held(group.target(member.memberId)),
  ])
  return JSON.stringify([
    'streams',
    group.epoch,
    group.assignmentEpoch,
    group.validatedTopologyEpoch,
    String(group.metadataHash),
    group.topology?.epoch,
    [...group.lastAssignmentConfigs],
    members.sort(),
  ])
}

function held({
  active,
  standby,
  warmup,
}: Record<'active', ReadonlySet<TaskId> | HeldTasks['active']> &
  Pick<HeldTasks, 'standby' | 'warmup'>): unknown[] {
  const epochs = active instanceof Map ? [...active].sort() : []
  return [taskList(active.keys()), epochs, taskList(standby), taskList(warmup)]
}
