import type { TaskId } from './tasks.ts'

/** The part of an assignment that is being made which one process has (ProcessState). */
export class Process {
  /** How many tasks each of its members has, in the order in which they came. */
  readonly taskCounts = new Map<string, number>()
  readonly active = new Map<string, Set<TaskId>>()
  readonly standby = new Map<string, Set<TaskId>>()
  readonly #tasks = new Set<TaskId>()

  addMember(memberId: string): void {
    this.taskCounts.set(memberId, 0)
    this.active.set(memberId, new Set())
    this.standby.set(memberId, new Set())
  }

  /** Tasks per member. A process never holds a task twice, so each of its tasks counts. */
  get load(): number {
    return this.#tasks.size / this.taskCounts.size
  }

  hasTask(task: TaskId): boolean {
    return this.#tasks.has(task)
  }

  /** Gives a task to one of its members. Returns how many that one has now. */
  add(memberId: string, task: TaskId, role: 'active' | 'standby'): number {
    const count = this.taskCounts.get(memberId)! + 1
    this.taskCounts.set(memberId, count)
    this[role].get(memberId)!.add(task)
    this.#tasks.add(task)
    return count
  }

  /** Gives a task to the member that has the fewest; the first of them. */
  addToLeastLoaded(task: TaskId, role: 'active' | 'standby'): number {
    let least: string | undefined
    let leastCount = Infinity
    for (const [memberId, count] of this.taskCounts)
      if (count < leastCount) [least, leastCount] = [memberId, count]
    return this.add(least!, task, role)
  }
}
