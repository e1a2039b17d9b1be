import type { ErrorName } from '../protocol/errors.ts'
import type { CoordinationEnvironment } from './environment.ts'
import type { StateVisitor } from './state-topic.ts'
import type { Decide } from './turn.ts'

/** What one partition of a coordinator's topic says. It is told as things are decided, and again at every start. */
export interface CoordinatedState extends StateVisitor {
  /** Ends every wait and every deadline in here. */
  dispose(error: ErrorName): void
}

/** A kind of coordinator: what its partitions keep, and how they begin. */
export interface CoordinatorKind<State extends CoordinatedState, Env extends CoordinationEnvironment> {
  /** Its topic, for the log. */
  readonly topicName: string
  /** The state that an empty log gives. */
  create(environment: Env): State
  /** Decided first, once the log has been read: deadlines begin, and what was left half done goes on. */
  readonly resume: Decide<void, State, Env>
  /** What is unsound in a state, in words; `logged` is what its log gives. */
  audit(state: State, logged: State): string[]
}
