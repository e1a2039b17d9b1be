/**
 * A task, as Kafka Streams writes it: the subtopology's id and the partition, `0_3`. Flat names make the arithmetic of
 * assignments that of sets.
 */
export type TaskId = string

/** What a member does for a task (TaskRole): runs it, keeps a copy of its state, or makes one before it is to run it. */
export type Role = 'active' | 'standby' | 'warmup'

export const roles: readonly Role[] = ['active', 'standby', 'warmup']

/** Tasks by role (TasksTuple). */
export type Tasks = Readonly<Record<Role, ReadonlySet<TaskId>>>

/** The epoch in which each active task was assigned to its member; a commit of an older one is not of this owner. */
export type AssignmentEpochs = ReadonlyMap<TaskId, number>

/** Tasks that a member has, by role; for active ones since which epoch (TasksTupleWithEpochs). */
export interface HeldTasks {
  readonly active: AssignmentEpochs
  readonly standby: ReadonlySet<TaskId>
  readonly warmup: ReadonlySet<TaskId>
}

/** The partitions of one subtopology, on the wire and in records. */
export interface TaskIds {
  readonly subtopologyId: string
  readonly partitions: readonly number[]
}

const none: ReadonlySet<TaskId> = new Set()
export const noTasks: Tasks = { active: none, standby: none, warmup: none }
export const noHeldTasks: HeldTasks = { active: new Map(), standby: none, warmup: none }

export function taskId(subtopologyId: string, partition: number): TaskId {
  return `${subtopologyId}_${partition}`
}

/** The parts of a task's name. A subtopology's id may hold whatever it likes, the partition nothing but digits. */
export function partsOf(task: TaskId): { subtopologyId: string; partition: number } {
  const end = task.lastIndexOf('_')
  return { subtopologyId: task.slice(0, end), partition: Number(task.slice(end + 1)) }
}

export function tasksFrom(list: readonly TaskIds[]): Set<TaskId> {
  return new Set(
    list.flatMap(({ subtopologyId, partitions }) =>
      partitions.map(partition => taskId(subtopologyId, partition)),
    ),
  )
}

/** Likewise with epochs. Records of releases before 4.3 name none: the tasks count as assigned in `memberEpoch`. */
export function epochsFrom(
  list: readonly (TaskIds & { readonly assignmentEpochs: readonly number[] | null })[],
  memberEpoch: number,
): Map<TaskId, number> {
  const epochs = new Map<TaskId, number>()
  for (const { subtopologyId, partitions, assignmentEpochs } of list) {
    const known = assignmentEpochs?.length === partitions.length ? assignmentEpochs : undefined
    partitions.forEach((partition, index) =>
      epochs.set(taskId(subtopologyId, partition), known?.[index] ?? memberEpoch),
    )
  }
  return epochs
}

/** By subtopology and in order, as Kafka writes them. */
export function taskList(tasks: Iterable<TaskId>): { subtopologyId: string; partitions: number[] }[] {
  const bySubtopology = new Map<string, number[]>()
  for (const task of tasks) {
    const { subtopologyId, partition } = partsOf(task)
    const partitions = bySubtopology.get(subtopologyId)
    if (partitions) partitions.push(partition)
    else bySubtopology.set(subtopologyId, [partition])
  }
  return Array.from(bySubtopology, ([subtopologyId, partitions]) => ({
    subtopologyId,
    partitions: partitions.sort((a, b) => a - b),
  })).sort(({ subtopologyId: a }, { subtopologyId: b }) => (a < b ? -1 : 1))
}

/** Anything that tasks can be looked up in. */
export interface TaskCollection {
  readonly size: number
  has(task: TaskId): boolean
  keys(): Iterable<TaskId>
}

export function hasAny(tasks: TaskCollection, others: TaskCollection): boolean {
  for (const task of others.keys()) if (tasks.has(task)) return true
  return false
}

export function areSameTasks(a: TaskCollection, b: TaskCollection): boolean {
  if (a.size !== b.size) return false
  for (const task of a.keys()) if (!b.has(task)) return false
  return true
}

export function areSameEpochs(a: AssignmentEpochs, b: AssignmentEpochs): boolean {
  if (a.size !== b.size) return false
  for (const [task, epoch] of a) if (b.get(task) !== epoch) return false
  return true
}

/** The same tasks in the same roles, since the same epochs. */
export function areSameHeld(a: HeldTasks, b: HeldTasks): boolean {
  return (
    areSameEpochs(a.active, b.active) &&
    areSameTasks(a.standby, b.standby) &&
    areSameTasks(a.warmup, b.warmup)
  )
}

export function isEmpty(tasks: Readonly<Record<Role, TaskCollection>>): boolean {
  return roles.every(role => tasks[role].size === 0)
}
