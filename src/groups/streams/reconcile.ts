import type { StreamsMember } from './member.ts'
import type { TaskHolders } from './task-holders.ts'
import {
  hasAny,
  isEmpty,
  noHeldTasks,
  roles,
  type HeldTasks,
  type Role,
  type TaskId,
  type Tasks,
} from './tasks.ts'

/** Where a member is to come to. */
export interface Target {
  readonly epoch: number
  readonly tasks: Tasks
}

/**
 * A member one step further on the way to its target (CurrentAssignmentBuilder): first it gives back what it is not to have
 * any more, then it enters the target's epoch, then it gets what others have given back. `owned` is what it says that it
 * has; undefined where it says nothing, since nothing has changed. The same object comes back when there is nothing to do.
 * One in a state that only a later release knows must own nothing: it begins anew.
 */
export function reconcile(
  member: StreamsMember,
  target: Target,
  holders: TaskHolders,
  owned: Tasks | undefined,
): StreamsMember {
  switch (member.state) {
    case 'stable':
      if (member.memberEpoch === target.epoch) return member
      return nextStep(member, member.memberEpoch, target, holders, owned)
    case 'unrevokedTasks':
      if (!owned || hasAnyOf(owned, member.pendingRevocation)) return member
      return nextStep(member, member.memberEpoch + 1, target, holders, owned)
    case 'unreleasedTasks':
      return nextStep(member, member.memberEpoch, target, holders, owned)
    case 'unknown':
      return nextStep(member, target.epoch, target, holders, owned)
  }
}

function nextStep(
  member: StreamsMember,
  memberEpoch: number,
  target: Target,
  holders: TaskHolders,
  owned: Tasks | undefined,
): StreamsMember {
  const { assigned } = member
  const kept: HeldTasks = {
    active: filterMap(assigned.active, task => target.tasks.active.has(task)),
    standby: filterSet(assigned.standby, task => target.tasks.standby.has(task)),
    warmup: filterSet(assigned.warmup, task => target.tasks.warmup.has(task)),
  }
  const revoked: HeldTasks = {
    active: filterMap(assigned.active, task => !target.tasks.active.has(task)),
    standby: filterSet(assigned.standby, task => !target.tasks.standby.has(task)),
    warmup: filterSet(assigned.warmup, task => !target.tasks.warmup.has(task)),
  }
  const previousMemberEpoch = member.memberEpoch
  if (!isEmpty(revoked) && (!owned || hasAnyOf(owned, revoked))) {
    return {
      ...member,
      memberEpoch,
      previousMemberEpoch,
      state: 'unrevokedTasks',
      assigned: kept,
      pendingRevocation: revoked,
    }
  }

  // An active task is run by one process at a time; and no process has a task twice, since it has one directory for it.
  const missing = (role: Role): TaskId[] => [...target.tasks[role]].filter(task => !kept[role].has(task))
  const isFree = (role: Role, task: TaskId): boolean =>
    !holders.isHeldBy(task, member.processId) && (role !== 'active' || holders.activeIn(task) === undefined)
  const free = (role: Role): TaskId[] => missing(role).filter(task => isFree(role, task))
  const isWaiting = roles.some(role => missing(role).some(task => !isFree(role, task)))
  return {
    ...member,
    memberEpoch: target.epoch,
    previousMemberEpoch,
    state: isWaiting ? 'unreleasedTasks' : 'stable',
    assigned: {
      active: new Map([...kept.active, ...free('active').map(task => [task, target.epoch] as const)]),
      standby: new Set([...kept.standby, ...free('standby')]),
      warmup: new Set([...kept.warmup, ...free('warmup')]),
    },
    pendingRevocation: noHeldTasks,
  }
}

function hasAnyOf(owned: Tasks, held: HeldTasks): boolean {
  return roles.some(role => hasAny(owned[role], held[role]))
}

function filterSet(tasks: ReadonlySet<TaskId>, keep: (task: TaskId) => boolean): Set<TaskId> {
  return new Set([...tasks].filter(keep))
}

function filterMap<V>(tasks: ReadonlyMap<TaskId, V>, keep: (task: TaskId) => boolean): Map<TaskId, V> {
  return new Map([...tasks].filter(([task]) => keep(task)))
}
