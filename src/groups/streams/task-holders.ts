import type { StreamsMember } from './member.ts'
import type { HeldTasks, TaskId } from './tasks.ts'

/** Which processes hold which tasks now, those included that they are still to give back. */
export class TaskHolders {
  readonly #active = new Map<TaskId, string>()
  /** Standby and warmup: copies, of which there may be many, but one in a process. */
  readonly #copies = new Map<TaskId, Set<string>>()

  /** Takes note of what a member holds in place of what it held before; undefined before it came or after it left. */
  replace(before: StreamsMember | undefined, after: StreamsMember | undefined): void {
    if (before) {
      this.#release(before.assigned, before.processId)
      this.#release(before.pendingRevocation, before.processId)
    }
    if (after) {
      this.#hold(after.assigned, after.processId)
      this.#hold(after.pendingRevocation, after.processId)
    }
  }

  /** The process that runs a task. */
  activeIn(task: TaskId): string | undefined {
    return this.#active.get(task)
  }

  /** Whether a process has a task in its state directory, whatever it does with it. */
  isHeldBy(task: TaskId, processId: string): boolean {
    return this.#active.get(task) === processId || (this.#copies.get(task)?.has(processId) ?? false)
  }

  #hold({ active, standby, warmup }: HeldTasks, processId: string): void {
    for (const task of active.keys()) this.#active.set(task, processId)
    for (const task of [...standby, ...warmup]) {
      const processIds = this.#copies.get(task)
      if (processIds) processIds.add(processId)
      else this.#copies.set(task, new Set([processId]))
    }
  }

  #release({ active, standby, warmup }: HeldTasks, processId: string): void {
    // Another process may have been noted in the meantime, when records of a member come twice.
    for (const task of active.keys()) if (this.#active.get(task) === processId) this.#active.delete(task)
    for (const task of [...standby, ...warmup]) {
      const processIds = this.#copies.get(task)
      processIds?.delete(processId)
      if (processIds?.size === 0) this.#copies.delete(task)
    }
  }
}
