import type { PartitionLog } from './partition-log.ts'

export interface CoordinatorRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Being built. */
export declare class CoordinatorLog {
  constructor(log: PartitionLog)
  append(records: readonly CoordinatorRecord[], timestamp: bigint): Promise<void>
  get lastPending(): Promise<void>
  replay(
    visit: (key: Buffer | null, value: Buffer | null, offset: bigint, timestamp: bigint) => void,
  ): Promise<void>
}
