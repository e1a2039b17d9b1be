import { hold } from '../hold.ts'

/** How many partitions a transaction may write to. */
export const partitionCount = 3

/** One try of a step. */
export interface Attempt {
  readonly step: number
  /** Unlike any other. */
  readonly name: string
  /** What was acknowledged, by partition. */
  readonly values: string[][]
  /** Nobody can commit what was not asked for. */
  isCommitAsked: boolean
}

/**
 * What a read-process-write loop was promised: step `n` is a transaction that writes some records and commits offset `n + 1`, and
 * counts with both or with neither.
 */
export class TransactionLedger {
  readonly transactionalId: string
  readonly groupId: string
  readonly topic: string
  readonly #attempts = new Map<string, Attempt>()
  /** The attempts that were acknowledged, by step. */
  readonly #committed = new Map<number, Attempt>()
  #count = 0
  isUsed = false

  constructor(name: string) {
    this.transactionalId = name
    this.groupId = `${name}-group`
    this.topic = `${name}-out`
  }

  begin(step: number): Attempt {
    const name = `${step}.${this.#count++}`
    const values = Array.from({ length: partitionCount }, () => [])
    const attempt: Attempt = { step, name, values, isCommitAsked: false }
    this.#attempts.set(name, attempt)
    this.isUsed = true
    return attempt
  }

  committed(attempt: Attempt): void {
    this.#committed.set(attempt.step, attempt)
  }

  /** The offset that somebody was told is that of a step that is not taken back. */
  checkOffset(offset: number): void {
    const last = Math.max(-1, ...this.#committed.keys())
    hold(offset > last, () => `${this.groupId} has offset ${offset} after step ${last} was committed`)
  }

  /**
   * Holds everything that readers of committed records see, by partition, and the group's offset against what was promised, while
   * nothing is under way.
   */
  verify(seen: readonly (readonly string[])[], offset: number): void {
    this.checkOffset(offset)
    const names = new Set(seen.flatMap(values => values.map(attemptOf)))
    const steps = new Map<number, string>()
    for (const name of names) {
      const attempt = this.#attempts.get(name)
      hold(attempt?.isCommitAsked === true, () => `${this.topic} shows ${name}, which nobody committed`)
      const { step, values } = attempt!
      hold(!steps.has(step), () => `${this.topic} shows step ${step} as ${name} and ${steps.get(step)}`)
      steps.set(step, name)
      for (const [partition, written] of values.entries()) {
        const found = seen[partition]!.filter(value => attemptOf(value) === name)
        hold(
          found.join() === written.join(),
          () => `${this.topic}-${partition} shows ${found.join()} of ${name}, written were ${written.join()}`,
        )
      }
    }
    for (let step = 0; step < offset; step++)
      hold(steps.has(step), () => `${this.groupId} is at ${offset}, and ${this.topic} has no step ${step}`)
    for (const step of steps.keys())
      hold(step < offset, () => `${this.topic} has step ${step}, and ${this.groupId} is at ${offset}`)
    for (const [step, { name }] of this.#committed)
      hold(steps.get(step) === name, () => `step ${step} of ${this.topic} was ${name}, is ${steps.get(step)}`)
  }
}

/** Values are `attempt/number`. */
function attemptOf(value: string): string {
  return value.slice(0, value.indexOf('/'))
}
