import { Process } from './process.ts'
import { noTasks, partsOf, taskId, type TaskId, type Tasks } from './tasks.ts'

/** A member as the assignor sees it. */
export interface AssignorMember {
  readonly memberId: string
  readonly processId: string
  /** What it was to have before. */
  readonly target: Tasks
}

/** Whom to assign to, and what there is. */
export interface AssignorInput {
  readonly members: readonly AssignorMember[]
  readonly subtopologies: readonly {
    readonly subtopologyId: string
    readonly taskCount: number
    /** Only tasks that keep state have standbys. */
    readonly isStateful: boolean
  }[]
  readonly numStandbyReplicas: number
}

/**
 * Kafka's `sticky` assignor (StickyTaskAssignor). An active task goes to the member that had it, else to one that kept a
 * copy of its state, as long as that has not more than its share; what is left goes to the least loaded process. Then
 * each stateful task gets its standbys in the same way, each on a process that has not the task yet; where there are too
 * few processes, fewer. Returns what every member is to have.
 */
export function assignSticky(input: AssignorInput): Map<string, Tasks> {
  return new StickyAssignment(input).assign()
}

/** A member's share of tasks: as large as it takes, and no larger than it has to be once others have had theirs. */
class Quota {
  #tasks: number
  #members: number

  constructor(tasks: number, members: number) {
    this.#tasks = tasks
    this.#members = members
  }

  /** How many tasks a member may have. */
  get share(): number {
    return this.#members === 0 ? 0 : Math.ceil(this.#tasks / this.#members)
  }

  /** A member has `count` tasks now. Who has a full share takes part no more in sharing out the rest. */
  given(count: number): void {
    if (count !== this.share) return
    this.#members--
    this.#tasks -= count
  }
}

interface Previous {
  readonly memberId: string
  readonly process: Process
}

class StickyAssignment {
  readonly #input: AssignorInput
  readonly #processes = new Map<string, Process>()
  readonly #previousActive = new Map<TaskId, Previous>()
  readonly #previousStandby = new Map<TaskId, Previous[]>()
  readonly #activeQuota: Quota
  readonly #totalQuota: Quota

  constructor(input: AssignorInput) {
    this.#input = input
    const { members, subtopologies, numStandbyReplicas } = input
    let activeCount = 0
    let standbyCount = 0
    for (const { taskCount, isStateful } of subtopologies) {
      activeCount += taskCount
      if (isStateful) standbyCount += taskCount * numStandbyReplicas
    }
    this.#activeQuota = new Quota(activeCount, members.length)
    this.#totalQuota = new Quota(activeCount + standbyCount, members.length)
    for (const member of members) this.#remember(member)
  }

  #remember({ memberId, processId, target }: AssignorMember): void {
    let process = this.#processes.get(processId)
    if (!process) this.#processes.set(processId, (process = new Process()))
    process.addMember(memberId)
    for (const task of target.active) this.#previousActive.set(task, { memberId, process })
    for (const task of target.standby) {
      const previous = this.#previousStandby.get(task) ?? []
      previous.push({ memberId, process })
      this.#previousStandby.set(task, previous)
    }
  }

  assign(): Map<string, Tasks> {
    this.#assignActive()
    if (this.#input.numStandbyReplicas > 0) this.#assignStandby()
    const assigned = new Map<string, Tasks>()
    for (const process of this.#processes.values()) {
      for (const memberId of process.taskCounts.keys()) {
        assigned.set(memberId, {
          ...noTasks,
          active: process.active.get(memberId)!,
          standby: process.standby.get(memberId)!,
        })
      }
    }
    return assigned
  }

  #assignActive(): void {
    // Members that had ranges of partitions keep the lower ones together.
    let left = this.#tasks(() => true).sort(byPartition)
    left = left.filter(task => !this.#giveActive(this.#previousActive.get(task), task))
    left = left.filter(task => !this.#giveActive(leastLoaded(this.#previousStandby.get(task) ?? []), task))
    for (const task of left.sort(bySubtopology)) {
      const count = this.#leastLoadedProcess()!.addToLeastLoaded(task, 'active')
      this.#activeQuota.given(count)
      this.#totalQuota.given(count)
    }
  }

  #giveActive(previous: Previous | undefined, task: TaskId): boolean {
    if (!previous || previous.process.taskCounts.get(previous.memberId)! >= this.#activeQuota.share)
      return false
    const count = previous.process.add(previous.memberId, task, 'active')
    this.#activeQuota.given(count)
    this.#totalQuota.given(count)
    return true
  }

  #assignStandby(): void {
    const left: TaskId[] = []
    // From the end, since the active tasks were given out from the beginning.
    const stateful = this.#tasks(({ isStateful }) => isStateful).sort(byPartition)
    for (const task of stateful.toReversed()) {
      let missing = this.#input.numStandbyReplicas
      while (missing > 0 && this.#giveStandbyAsBefore(task)) missing--
      for (; missing > 0; missing--) left.push(task)
    }
    for (const task of left.sort(bySubtopology).toReversed()) {
      const process = this.#leastLoadedProcess(process => !process.hasTask(task))
      if (process) this.#totalQuota.given(process.addToLeastLoaded(task, 'standby'))
    }
  }

  /** Whoever ran the task has its state, and so has whoever kept a copy. */
  #giveStandbyAsBefore(task: TaskId): boolean {
    const copies = (this.#previousStandby.get(task) ?? []).filter(({ process }) => !process.hasTask(task))
    const active = this.#previousActive.get(task)
    return (
      (active !== undefined && !active.process.hasTask(task) && this.#giveStandby(active, task)) ||
      this.#giveStandby(leastLoaded(copies), task)
    )
  }

  #giveStandby(previous: Previous | undefined, task: TaskId): boolean {
    if (!previous || previous.process.taskCounts.get(previous.memberId)! >= this.#totalQuota.share)
      return false
    this.#totalQuota.given(previous.process.add(previous.memberId, task, 'standby'))
    return true
  }

  #tasks(isWanted: (subtopology: AssignorInput['subtopologies'][number]) => boolean): TaskId[] {
    return this.#input.subtopologies
      .filter(isWanted)
      .flatMap(({ subtopologyId, taskCount }) =>
        Array.from({ length: taskCount }, (_, partition) => taskId(subtopologyId, partition)),
      )
  }

  #leastLoadedProcess(isEligible: (process: Process) => boolean = () => true): Process | undefined {
    let least: Process | undefined
    for (const process of this.#processes.values()) {
      if ((!least || process.load < least.load) && isEligible(process)) least = process
    }
    return least
  }
}

/** The one of the least loaded process that has itself least to do. */
function leastLoaded(previous: readonly Previous[]): Previous | undefined {
  let least: Previous | undefined
  for (const each of previous) {
    if (!least || isLessLoaded(each, least)) least = each
  }
  return least
}

function isLessLoaded(a: Previous, b: Previous): boolean {
  if (a.process.load !== b.process.load) return a.process.load < b.process.load
  return a.process.taskCounts.get(a.memberId)! < b.process.taskCounts.get(b.memberId)!
}

function byPartition(a: TaskId, b: TaskId): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  return left.partition - right.partition || (left.subtopologyId < right.subtopologyId ? -1 : 1)
}

function bySubtopology(a: TaskId, b: TaskId): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  if (left.subtopologyId === right.subtopologyId) return left.partition - right.partition
  return left.subtopologyId < right.subtopologyId ? -1 : 1
}
