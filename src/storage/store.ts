import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { Disk, Unlock } from '../base/disk.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import { Copies, Slabs } from '../base/slabs.ts'
import { KafkaError } from '../protocol/errors.ts'
import { ObeliskSequencer } from '../sequencers/obelisk.ts'
import type { Region } from '../base/slabs.ts'
import { Backlog } from './backlog.ts'
import { checkFormat, shardsOnDisk } from './data-directory.ts'
import { compact, type CompactionOptions } from './cleaning.ts'
import type { Durability } from './durability.ts'
import { Pace } from './pace.ts'
import { PartitionLog, type Appended, type PartitionId } from './partition-log.ts'
import { PartitionState } from './partition-state.ts'
import { reclaim, type ReclaimOptions } from './reclaiming.ts'
import { recover } from './recovery.ts'
import { folderOf, Shard, type Lsns, type ShardLimits } from './shard.ts'
import { SpareFiles } from './spare-files.ts'

const mebibyte = 1024 * 1024
const copiesIdleLengthMax = 32 * mebibyte
/** Of a block, in bytes: each has a sync, so that those of less took up to a third longer; those of more gained nothing (`bench/choices`). */
export const blockBytesDefault = 8 * mebibyte
/**
 * The least share of a segment that is to be alive. Files are then at most a third larger than what is in use, and with the directories
 * of 1 KB batches half; and a byte gained costs at most three that are copied.
 */
export const liveRatioDefault = 0.75
/** How full the memory for the keys of a compaction may become: Kafka's default. */
export const loadFactorDefault = 0.9

/** What a store works with; sizes in bytes. */
export interface StoreOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly slabs: Slabs
  readonly logger: Logger
  /** Shards for new partitions; those that are on disk already are opened whatever this says. */
  readonly shards?: number | undefined
  /** A segment file takes no more blocks once it has reached this size; at most 2 GiB. */
  readonly segmentBytes?: number | undefined
  /** The same in batches; bounds what RAM keeps of the newest segment, and how long recovery takes. */
  readonly segmentEntries?: number | undefined
  /** How many files of dead segments each shard keeps to write to again. */
  readonly spareSegmentsMax?: number | undefined
  /** A block takes no more batches once it has reached this. */
  readonly blockBytes?: number | undefined
  /** The sparse index has an entry each so many records of a partition. */
  readonly strideRecords?: number | undefined
  /** How much of the newest batches stays in RAM. */
  readonly tailBytesMax?: number | undefined
  /** Above this many bytes that were accepted and are not synced yet, the store is congested. */
  readonly backlogBytesMax?: number | undefined
  /** The same in records. */
  readonly backlogRecordsMax?: number | undefined
}

/** One of several batches that are appended together. */
export interface Entry {
  readonly log: PartitionLog
  readonly batch: Buffer
  /** As in AppendOptions. */
  readonly hold?: Region | undefined
}

export interface NewPartition {
  /** The start count at the partition's creation; its leader epoch counts from there. */
  readonly createdAt: number
  /** Where it lives; without it, where its id falls. */
  readonly shard?: number | undefined
}

/**
 * Opens the store on a disk, which is its own from then on. Rejects with StorageInUseError, StorageFormatError, and the
 * disk's own errors as they are.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const {
    disk,
    clock,
    logger,
    slabs,
    shards = 1,
    segmentBytes = 256 * mebibyte,
    tailBytesMax = 64 * mebibyte,
    backlogBytesMax = 64 * mebibyte,
  } = options
  assert(
    shards >= 1 && segmentBytes <= 2048 * mebibyte,
    'a store without shards, or with segments above 2 GiB',
  )
  const unlock = await disk.lock()
  try {
    await checkFormat(disk)
    const starts = await ObeliskSequencer.open(disk, 'start-count')
    const startCount = Number(await starts.next().finally(() => starts.close())) + 1
    const limits: ShardLimits = {
      segmentBytes,
      segmentEntries: options.segmentEntries ?? 256 * 1024,
      blockBytes: options.blockBytes ?? blockBytesDefault,
      strideRecords: options.strideRecords ?? 1000,
      tailBytesMax: tailBytesMax / shards,
      // A slab may be twice as long as what lies in it.
      memoryMax: 2 * (tailBytesMax + backlogBytesMax),
    }
    const count = Math.max(shards, ...(await shardsOnDisk(disk)).map(shard => shard + 1))
    const lsns: Lsns = { next: 1 }
    const backlog = new Backlog(backlogBytesMax, options.backlogRecordsMax ?? Infinity)
    const outcomes = await Promise.allSettled(
      Array.from({ length: count }, async (_, id) => {
        const { strideRecords } = limits
        const spareLimits = { countMax: options.spareSegmentsMax ?? 2, lengthMin: segmentBytes / 2 }
        const spares = await SpareFiles.open(disk, folderOf(id), spareLimits)
        const recovered = await recover({ disk, logger, shard: id, folder: folderOf(id), strideRecords })
        lsns.next = Math.max(lsns.next, recovered.tail.lsn + 1)
        return new Shard(
          { id, disk, clock, logger, lsns, backlog, slabs, spares, blockEpoch: startCount, limits },
          recovered,
        )
      }),
    )
    const opened = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? outcome.value : []))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed) {
      // All have ended: whoever has the disk next is not to meet one that still writes.
      await Promise.allSettled(opened.map(shard => shard.close()))
      throw failed.reason
    }
    return new Store({ ...options, unlock, startCount, shards: opened, newShards: shards, backlog })
  } catch (error) {
    await unlock()
    throw error
  }
}

interface StoreParts {
  readonly slabs: Slabs
  readonly clock: Clock
  readonly unlock: Unlock
  readonly startCount: number
  readonly shards: readonly Shard[]
  readonly newShards: number
  readonly backlog: Backlog
}

/** Every partition's log, durable and in order. */
export class Store {
  /** How often this store has been opened, this time included: the block epoch. */
  readonly startCount: number
  /** For the storage's own rooms. */
  readonly shards: readonly Shard[]
  readonly #newShards: number
  /** For what is read. */
  readonly slabs: Slabs
  readonly #copies: Copies
  readonly #unlock: Unlock
  readonly #backlog: Backlog
  readonly #logs = new Map<PartitionId, PartitionLog>()

  constructor({ startCount, shards, newShards, slabs, clock, unlock, backlog }: StoreParts) {
    this.startCount = startCount
    this.shards = shards
    this.#newShards = newShards
    this.slabs = slabs
    this.#copies = new Copies(new Slabs(copiesIdleLengthMax, clock))
    this.#unlock = unlock
    this.#backlog = backlog
  }

  /** Why shards take no more writes: damage that recovery found, or a write or sync that failed. Empty when all is well. */
  get faults(): KafkaError[] {
    return this.shards.flatMap(shard => shard.fault ?? [])
  }

  /** More was accepted than the disk keeps up with: whoever feeds the store pauses. */
  get isCongested(): boolean {
    return this.#backlog.isCongested
  }

  /** Calls back once half of the backlog is synced; at once where nothing is congested. */
  onceRelieved(callback: () => void): void {
    this.#backlog.onceRelieved(callback)
  }

  /** The shard that a new partition goes to unless it is told otherwise. */
  shardFor(id: PartitionId): number {
    // Ids follow one another, so their remainders spread them evenly.
    return id % this.#newShards
  }

  /** The log of a partition: as recovery found it, or new and empty. */
  create(id: PartitionId, { createdAt, shard: shardId }: NewPartition): PartitionLog {
    assert(!this.#logs.has(id), `partition ${id} created twice`)
    const shard = this.shards[shardId ?? this.shardFor(id)]
    assert(
      shard !== undefined && createdAt <= this.startCount,
      `partition ${id} of an unknown shard or start`,
    )
    const state = shard.recovered.get(id) ?? new PartitionState(id)
    shard.recovered.delete(id)
    const leaderEpoch = this.startCount - createdAt
    const log = new PartitionLog({
      state,
      shard,
      createdAt,
      leaderEpoch,
      slabs: this.slabs,
      copies: this.#copies,
    })
    shard.logs.set(id, log)
    this.#logs.set(id, log)
    return log
  }

  partition(id: PartitionId): PartitionLog | undefined {
    return this.#logs.get(id)
  }

  /** Every partition that was created and not dropped. */
  partitions(): IterableIterator<PartitionLog> {
    return this.#logs.values()
  }

  /** The partition's topic is gone: its entries are dead, and files that hold nothing else are removed. */
  drop(id: PartitionId): void {
    const log = this.#logs.get(id)
    assert(log !== undefined, `partition ${id} dropped that is not there`)
    this.#logs.delete(id)
    this.shards[log.shard]!.logs.delete(id)
    log.drop()
  }

  /** Drops what recovery found and nobody has created: for when the metadata has been replayed. */
  dropUnknown(): void {
    for (const shard of this.shards) {
      shard.sweep([...shard.recovered.values()].flatMap(state => state.dropAllRuns()))
      shard.recovered.clear()
      shard.sweep(shard.segments.filter(segment => segment.liveRuns === 0))
    }
  }

  /**
   * Appends several batches in one go (seed 004, append_batch): their LSNs follow one another, and in `sync` mode they
   * share one sync. A batch that is refused comes back as the reason and keeps no other from being appended.
   */
  appendBatch(entries: readonly Entry[], durability?: Durability): (Appended | KafkaError)[] {
    return this.asOneProduce(() =>
      entries.map(({ log, batch, hold }) => {
        try {
          return log.append(batch, { hold, durability })
        } catch (error) {
          if (error instanceof KafkaError) return error
          throw error
        }
      }),
    )
  }

  /** Whatever `work` appends before it returns is one produce to `sync` mode. */
  asOneProduce<Result>(work: () => Result): Result {
    for (const shard of this.shards) shard.beginProduce()
    try {
      return work()
    } finally {
      for (const shard of this.shards) shard.endProduce()
    }
  }

  /** Commits all that was accepted until now; resolves when it is synced, rejects with KAFKA_STORAGE_ERROR. */
  async flushed(): Promise<void> {
    await Promise.all(this.shards.map(shard => shard.flush()))
  }

  /** Rewrites the segments of which too little is alive; resolves when that is done. Rejects with the disk's errors. */
  async reclaim(options: Partial<ReclaimOptions> = {}): Promise<void> {
    const wanted = { ...this.#defaults(), ...options }
    await this.#inTurn(shard => reclaim(shard, wanted))
  }

  /**
   * Compacts the partitions whose settings say so, as far as they are due or all where `isForced`; resolves when that is done. Rejects
   * with KAFKA_STORAGE_ERROR, and with the disk's errors.
   */
  async compact(options: Partial<CompactionOptions> = {}): Promise<void> {
    const wanted = { ...this.#defaults(), ...options }
    await this.#inTurn(shard => compact(shard, wanted))
  }

  async #inTurn(work: (shard: Shard) => Promise<void>): Promise<void> {
    for (const shard of this.shards)
      await shard.exclusively(async () => {
        if (!shard.isStopping) await work(shard)
      })
  }

  #defaults(): CompactionOptions {
    return {
      liveRatio: liveRatioDefault,
      pace: new Pace(this.shards[0]!.clock),
      mapBytesMax: 128 * mebibyte,
      loadFactor: loadFactorDefault,
      isForced: false,
    }
  }

  /**
   * Commits what was accepted, writes checkpoints, closes the files and gives up the disk. Rejects with the disk's error where a shard
   * could not write its checkpoint; the others have.
   */
  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.shards.map(shard => shard.close()))
    await this.#unlock()
    for (const each of closed) if (each.status === 'rejected') throw each.reason
  }
}
