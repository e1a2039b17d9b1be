import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import type { Slabs } from '../base/slabs.ts'
import type { PartitionId, PartitionLog } from './partition-log.ts'

export interface StoreOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly slabs: Slabs
  readonly logger: Logger
  readonly shards?: number
  readonly segmentBytes?: number
  readonly strideRecords?: number
  readonly tailBytesMax?: number
  readonly backlogBytesMax?: number
}

export interface NewPartition {
  /** The start count at the partition's creation. */
  readonly createdAt: number
  readonly shard?: number | undefined
}

/** Every partition's log. */
export interface Store {
  readonly startCount: number
  readonly isCongested: boolean
  onceRelieved(callback: () => void): void
  /** The shard that a new partition goes to unless it is told otherwise. */
  shardFor(id: PartitionId): number
  create(id: PartitionId, partition: NewPartition): PartitionLog
  partition(id: PartitionId): PartitionLog | undefined
  drop(id: PartitionId): void
  dropUnknown(): void
  flushed(): Promise<void>
  close(): Promise<void>
}

/** Being built. */
export declare function openStore(options: StoreOptions): Promise<Store>
