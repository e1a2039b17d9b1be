import type { Cancel, Clock } from '../base/clock.ts'

/** When a consumer commits by itself. */
export interface CommitRule {
  readonly autoCommit: boolean
  /** 0: after each record. */
  readonly autoCommitIntervalMs: number
}

/** Commits what is done at the latest an interval after it was done, whether more comes or not. */
export class CommitSchedule {
  readonly #rule: CommitRule
  readonly #clock: Clock
  readonly #commit: () => Promise<void>
  readonly #failed: (error: unknown) => void
  #cancel: Cancel | undefined

  /** `failed` hears of the commits that nobody waits for. */
  constructor(rule: CommitRule, clock: Clock, commit: () => Promise<void>, failed: (error: unknown) => void) {
    this.#rule = rule
    this.#clock = clock
    this.#commit = commit
    this.#failed = failed
  }

  /** A record is done. */
  async done(): Promise<void> {
    const { autoCommit, autoCommitIntervalMs } = this.#rule
    if (!autoCommit) return
    if (autoCommitIntervalMs === 0) return this.#commit()
    this.#cancel ??= this.#clock.after(autoCommitIntervalMs, () => {
      this.#cancel = undefined
      this.#commit().catch(this.#failed)
    })
  }

  /** The last commit, unless the user commits alone. */
  async close(): Promise<void> {
    this.#cancel?.()
    if (this.#rule.autoCommit) await this.#commit()
  }
}
