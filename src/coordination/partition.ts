import { KafkaError, type ErrorName } from '../protocol/errors.ts'
import type { CoordinationEnvironment } from './environment.ts'
import type { CoordinatedState, CoordinatorKind } from './state.ts'
import type { StateTopic, TransactionEnd } from './state-topic.ts'
import { Turn, type Decide } from './turn.ts'

/**
 * The coordinator of one partition of its topic (Kafka's CoordinatorRuntime). Operations decide one after another on state that may be
 * ahead of the disk; their replies wait for it. When an append fails, the state is ahead for good: it is dropped, and
 * read from the log again.
 */
export class CoordinatorPartition<State extends CoordinatedState, Env extends CoordinationEnvironment> {
  readonly #kind: CoordinatorKind<State, Env>
  readonly #partition: number
  readonly #topic: StateTopic
  readonly #environment: Env
  #state: State | undefined
  #loading: Promise<void> | undefined
  #isClosed = false

  constructor(kind: CoordinatorKind<State, Env>, partition: number, topic: StateTopic, environment: Env) {
    this.#kind = kind
    this.#partition = partition
    this.#topic = topic
    this.#environment = environment
  }

  /** Reads the log. Rejects when it cannot be read; the next operation then tries again. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined))
    return this.#loading
  }

  async #load(): Promise<void> {
    // What failed or is still under way settles first, so that the log is read to its end.
    await this.settled()
    const state = this.#kind.create(this.#environment)
    await this.#topic.replay(this.#partition, state)
    if (this.#isClosed) return
    this.#state = state
    this.#later(this.#kind.resume)
  }

  /**
   * Runs one operation. Its order among the others is fixed before this returns. Resolves with what it decided once
   * that is synced, or once everything is that it may have seen. Rejects with a KafkaError: the decision's own, or
   * NOT_COORDINATOR and its like when the log failed, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE.
   */
  async run<Reply>(decide: Decide<Reply, State, Env>): Promise<Reply> {
    const state = this.#ready()
    const turn = new Turn<State, Env>(state, this.#environment, decide => this.#later(decide))
    let refusal: KafkaError | undefined
    let reply: Reply | undefined
    try {
      reply = decide(turn)
    } catch (error) {
      // A decision that broke off half-way leaves a state that the log does not know.
      if (!(error instanceof KafkaError) || turn.records.length > 0) {
        turn.failed('UNKNOWN_SERVER_ERROR')
        this.#drop(state, error)
        throw error
      }
      refusal = error
    }
    try {
      await (turn.records.length > 0
        ? this.#topic.append(this.#partition, turn.records, turn.producer)
        : this.#topic.lastPending(this.#partition))
    } catch (error) {
      const failure = coordinatorError(error)
      turn.failed(failure)
      this.#drop(state, error)
      throw new KafkaError(failure)
    }
    // Another append failed meanwhile: this one may have been decided on what is lost.
    if (this.#state !== state) {
      turn.failed('NOT_COORDINATOR')
      throw new KafkaError('NOT_COORDINATOR')
    }
    turn.committed()
    if (refusal) throw refusal
    return reply as Reply
  }

  /**
   * Ends a producer's transaction: in the log first, which may refuse an end that is not in order, then in what is known.
   * Its order is fixed before this returns; resolves when it is synced. Rejects as `run` does.
   */
  async endTransaction(end: TransactionEnd): Promise<void> {
    const state = this.#ready()
    const pending = this.#topic.endTransaction(this.#partition, end)
    state.replayEnd?.(end.producerId, end.type)
    try {
      await pending
    } catch (error) {
      this.#drop(state, error)
      throw new KafkaError(coordinatorError(error))
    }
  }

  /** Resolves when the last append under way has settled; the topic is there then, if it was being made. */
  async settled(): Promise<void> {
    await this.#topic.lastPending(this.#partition).catch(() => undefined)
  }

  /** What is known now, be it synced or not; undefined while the log is being read. */
  get state(): State | undefined {
    return this.#state
  }

  /** Forgets everything: the log was deleted, and a new one begins empty. */
  reset(): void {
    if (this.#isClosed) return
    this.#state?.dispose('NOT_COORDINATOR')
    this.#state = undefined
    this.#reload()
  }

  /** Compares what is known with what the log says, once it has everything. Returns what is unsound, in words. */
  async audit(): Promise<string[]> {
    await this.settled()
    const state = this.#state
    if (!state) return []
    const logged = this.#kind.create(this.#environment)
    await this.#topic.replay(this.#partition, logged)
    return state === this.#state ? this.#kind.audit(state, logged) : []
  }

  /** Answers everybody who waits, and takes no more. Resolves when what is under way has settled. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#state?.dispose('NOT_COORDINATOR')
    this.#state = undefined
    await this.settled()
  }

  #ready(): State {
    if (this.#isClosed) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    if (this.#state) return this.#state
    this.#reload()
    throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
  }

  #drop(state: State, error: unknown): void {
    if (this.#state !== state) return
    this.#environment.logger.error(
      { err: error, topic: this.#kind.topicName, partition: this.#partition },
      'a coordinator lost an append: its state is read from the log again',
    )
    this.#state = undefined
    state.dispose('NOT_COORDINATOR')
    this.#reload()
  }

  #reload(): void {
    this.load().catch((error: unknown) => {
      this.#environment.logger.error(
        { err: error, topic: this.#kind.topicName, partition: this.#partition },
        'a partition of a coordinator cannot be read',
      )
    })
  }

  /** A decision that nobody waits for. */
  #later(decide: Decide<void, State, Env>): void {
    this.run(decide).catch((error: unknown) => {
      if (error instanceof KafkaError) return
      this.#environment.logger.error(
        { err: error, topic: this.#kind.topicName, partition: this.#partition },
        'a deadline went wrong',
      )
      this.#environment.reportBug?.(error)
    })
  }
}

/** What clients are told when an append fails (CoordinatorOperationExceptionHelper): mostly, to look for the coordinator again. */
function coordinatorError(error: unknown): ErrorName {
  if (!(error instanceof KafkaError)) return 'NOT_COORDINATOR'
  switch (error.error) {
    case 'REQUEST_TIMED_OUT':
    case 'NOT_ENOUGH_REPLICAS':
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return 'COORDINATOR_NOT_AVAILABLE'
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return 'UNKNOWN_SERVER_ERROR'
    default:
      return 'NOT_COORDINATOR'
  }
}
