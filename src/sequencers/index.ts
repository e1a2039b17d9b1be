/**
 * odradek/sequencers: counters and ids that survive, without the broker.
 *
 * ```ts
 * import { SequencerFolder } from 'odradek/sequencers'
 *
 * const folder = await SequencerFolder.open('/var/lib/orders')
 * const orders = await folder.obelisk('orders')
 * const number = await orders.next()
 * ```
 */
export { SequencerFolder } from './folder.ts'
export type { Sequencer, Survives } from './sequencer.ts'
export { ObeliskSequencer, type ObeliskOptions } from './obelisk.ts'
export { CheckpointSequencer, type CheckpointOptions } from './checkpoint.ts'
export { FixedMmapSequencer, type MmapOptions } from './fixed-mmap.ts'
export { BitmapMmapSequencer, type BitmapOptions } from './bitmap-mmap.ts'
export type { TimedIds, TimedIdsOptions } from './timed-ids.ts'
export {
  ScarabGenerator,
  scarabParts,
  scarabTimestampMs,
  type ScarabOptions,
  type ScarabParts,
} from './scarab.ts'
export { SessionIds, TimestampOracle, TransactionIds, type CoordinatorIdsOptions } from './coordinator-ids.ts'
export {
  idParts,
  oracleLayout,
  scarabLayout,
  snowflakeEpochMs,
  type IdLayout,
  type IdParts,
} from './id-layout.ts'
export { SequencerError, type SequencerFailure } from './errors.ts'
export { MappingError } from '../base/mapping.ts'
export { StorageInUseError } from '../base/disk.ts'
