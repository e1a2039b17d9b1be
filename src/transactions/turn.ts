import type { Decide as DecideOn, Turn as TurnOn } from '../coordination/turn.ts'
import type { Environment } from './environment.ts'
import type { PartitionState } from './partition-state.ts'

/** An operation of the transaction coordinator under way. */
export type Turn = TurnOn<PartitionState, Environment>
/** Decides an operation of the transaction coordinator. */
export type Decide<Reply> = DecideOn<Reply, PartitionState, Environment>
