import { assert } from '../base/assert.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { CoordinationEnvironment } from './environment.ts'
import type { Parked } from './parked.ts'
import type { CoordinatedState } from './state.ts'
import type { StateRecord, TransactionalProducer } from './state-topic.ts'

/** Decides one operation on the state of a partition. Throws a KafkaError to refuse it, and has written nothing then. */
export type Decide<Reply, State extends CoordinatedState, Env extends CoordinationEnvironment> = (
  turn: Turn<State, Env>,
) => Reply

/**
 * One operation under way: the records that it has decided, already replayed, and the parked requests that it answers
 * once they are synced.
 */
export class Turn<State extends CoordinatedState, Env extends CoordinationEnvironment> {
  readonly state: State
  readonly environment: Env
  /** Wall-clock time of the decision. */
  readonly nowMs: number
  readonly records: StateRecord[] = []
  /** Whose transaction the records are in. */
  producer: TransactionalProducer | undefined
  readonly #answers: (() => void)[] = []
  readonly #refusals: ((error: ErrorName) => void)[] = []
  readonly #later: (decide: Decide<void, State, Env>) => void

  /** `later` runs a decision of its own, when a deadline has come. */
  constructor(state: State, environment: Env, later: (decide: Decide<void, State, Env>) => void) {
    this.state = state
    this.environment = environment
    this.nowMs = environment.clock.now()
    this.#later = later
  }

  /** Decides a durable change: the state has it at once, the log by the time anybody is answered. */
  write(record: StateRecord): void {
    this.state.replay(record.key, record.value, this.producer?.producerId)
    this.records.push(record)
  }

  /** Has all that this operation writes be in the transaction of `producer`. */
  writeFor(producer: TransactionalProducer): void {
    assert(this.records.length === 0, 'an operation writes in a transaction and outside of it')
    this.producer = producer
  }

  /** Does something once the log has what was decided; nothing if the log fails. */
  onceSynced(act: () => void): void {
    this.#answers.push(act)
  }

  /** Answers a parked request, if there is one, once the log has what was decided. */
  answer<Reply>(parked: Parked<Reply> | undefined, reply: Reply): void {
    if (!parked) return
    this.#answers.push(() => parked.answer(reply))
    this.#refusals.push(error => parked.refuse(error))
  }

  /** Refuses a parked request, if there is one, likewise. */
  refuse<Reply>(parked: Parked<Reply> | undefined, error: ErrorName): void {
    if (!parked) return
    this.#answers.push(() => parked.refuse(error))
    this.#refusals.push(failure => parked.refuse(failure))
  }

  /** What a deadline is set to: a decision that is a turn of its own. */
  later(decide: Decide<void, State, Env>): () => void {
    const run = this.#later
    return () => run(decide)
  }

  /** The log has it: those who waited hear what was decided. */
  committed(): void {
    for (const answer of this.#answers) answer()
  }

  /** The log has not: those who waited hear that instead. */
  failed(error: ErrorName): void {
    for (const refuse of this.#refusals) refuse(error)
  }
}
