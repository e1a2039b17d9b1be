import type { Logger } from '../../src/base/logger.ts'
import { seededRandom } from '../../src/base/random.ts'
import { Slabs } from '../../src/base/slabs.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { buildMarker } from '../../src/protocol/records/control.ts'
import { buildBatch, type BatchDraft } from '../../src/protocol/records/record.ts'
import { audit } from '../../src/storage/audit.ts'
import type { Appended, PartitionLog } from '../../src/storage/partition-log.ts'
import { openStore, type Store, type StoreOptions } from '../../src/storage/store.ts'
import { hold } from './hold.ts'
import type { Life, Scheduler } from './scheduler.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import {
  StoreModel,
  transactionalCount,
  transactionalId,
  type AppendedBatch,
  type KnownPartition,
} from './store-model.ts'
import { checkTransactions } from './transactions-check.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
const pool = seededRandom(7).bytes(8192)

export type StoreSizes = Pick<
  StoreOptions,
  'shards' | 'segmentBytes' | 'segmentEntries' | 'blockBytes' | 'strideRecords' | 'tailBytesMax'
>

export interface SceneParts {
  readonly scheduler: Scheduler
  readonly life: Life
  readonly disk: SimulatedDisk
  readonly model: StoreModel
  readonly sizes: StoreSizes
}

/** A store on a disk that lies, and the model that it is held against (DESIGN, section 9). */
export class StoreScene {
  readonly scheduler: Scheduler
  readonly life: Life
  readonly disk: SimulatedDisk
  readonly model: StoreModel
  readonly store: Store
  /** Shards that have refused something. */
  readonly #fenced = new Set<number>()
  /** Broken promises that were noticed where nobody could be told. */
  readonly #noticed: string[] = []

  private constructor(parts: SceneParts, store: Store) {
    this.scheduler = parts.scheduler
    this.life = parts.life
    this.disk = parts.disk
    this.model = parts.model
    this.store = store
  }

  /** Opens the store, and makes of its partitions what the catalog would. Nothing is driven: see Scheduler.until. */
  static async open(parts: SceneParts): Promise<StoreScene> {
    const { life, disk, model, sizes } = parts
    const random = seededRandom(1)
    const store = await openStore({
      disk,
      clock: life,
      random,
      slabs: new Slabs(0),
      logger: silent,
      ...sizes,
    })
    hold(
      store.startCount > model.startCount,
      () => `start ${store.startCount} after start ${model.startCount}`,
    )
    model.startCount = store.startCount
    for (const { id, createdAt, shard, logStart } of model.partitions.values()) {
      store.create(id, { createdAt, shard }).deleteBefore(logStart)
    }
    store.dropUnknown()
    return new StoreScene(parts, store)
  }

  log({ id }: KnownPartition): PartitionLog {
    return this.store.partition(id)!
  }

  get isFenced(): boolean {
    return this.store.shards.some(shard => shard.fault !== undefined)
  }

  create(): KnownPartition {
    const { model, store } = this
    const id = model.idNext++
    const partition = {
      id,
      shard: store.shardFor(id),
      createdAt: store.startCount,
      logStart: 0n,
      shown: 0n,
      shownStable: 0n,
      batches: [],
      sequence: 0,
      transactional: Array.from({ length: transactionalCount }, () => 0),
    }
    model.partitions.set(id, partition)
    store.create(id, partition)
    return partition
  }

  /** Appends a batch of records of these lengths; false where the shard has failed. */
  append(partition: KnownPartition, lengths: readonly number[], isIdempotent: boolean): boolean {
    const producer = isIdempotent
      ? { producerId: BigInt(partition.id), producerEpoch: 0, baseSequence: partition.sequence }
      : {}
    const isTaken = this.#appendData(partition, lengths, producer)
    if (isTaken && isIdempotent) partition.sequence += lengths.length
    return isTaken
  }

  /** The same for one of the partition's transactional producers. */
  appendInTransaction(partition: KnownPartition, which: number, lengths: readonly number[]): boolean {
    const isTaken = this.#appendData(partition, lengths, {
      producerId: transactionalId(partition, which),
      producerEpoch: 0,
      baseSequence: partition.transactional[which]!,
      isTransactional: true,
    })
    if (isTaken) partition.transactional[which]! += lengths.length
    return isTaken
  }

  /** Ends the transaction of one of them, be it open or not; false where the shard has failed. */
  endTransaction(partition: KnownPartition, which: number, type: 'COMMIT' | 'ABORT'): boolean {
    const producerId = transactionalId(partition, which)
    const timestamp = BigInt(this.life.now())
    const marker = { type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp }
    return this.#append(partition, buildMarker(marker), log =>
      log.endTransaction({ ...marker, transactionVersion: 1 }),
    )
  }

  #appendData(partition: KnownPartition, lengths: readonly number[], producer: Partial<BatchDraft>): boolean {
    const { logEndOffset } = this.log(partition)
    const records = lengths.map((length, index) => {
      const at = (Number(logEndOffset) * 13 + index * 101) % (pool.length - length)
      return { value: pool.subarray(at, at + length), timestamp: BigInt(this.life.now() + index) }
    })
    const batch = buildBatch({ records, ...producer })
    return this.#append(partition, batch, log => log.append(batch))
  }

  #append(partition: KnownPartition, batch: Buffer, append: (log: PartitionLog) => Appended): boolean {
    const log = this.log(partition)
    let appended
    try {
      appended = append(log)
    } catch (error) {
      if (!(error instanceof KafkaError) || error.error !== 'KAFKA_STORAGE_ERROR') throw error
      this.#fenced.add(partition.shard)
      return false
    }
    const { baseOffset, lastOffset, committed, isDuplicate } = appended
    hold(!isDuplicate, () => `a new batch of partition ${partition.id} was taken for a retry`)
    const { leaderEpoch } = log
    const bytes = stamped(batch, baseOffset, leaderEpoch)
    const entry = { baseOffset, nextOffset: lastOffset + 1n, bytes, leaderEpoch, block: committed }
    const known = { ...entry, fate: 'pending' as 'pending' | 'acknowledged' | 'refused' }
    partition.batches.push(known)
    committed.then(
      () => {
        known.fate = 'acknowledged'
        if (this.#fenced.has(partition.shard))
          this.#noticed.push(`shard ${partition.shard} acknowledged offset ${baseOffset} after it had failed`)
        if (log.highWatermark < known.nextOffset && this.store.partition(partition.id) === log)
          this.#noticed.push(`offset ${baseOffset} of partition ${partition.id} was acknowledged unseen`)
      },
      () => {
        known.fate = 'refused'
        this.#fenced.add(partition.shard)
      },
    )
    return true
  }

  /** Deletes everything before `offset`; the catalog has synced that before. */
  deleteBefore(partition: KnownPartition, offset: bigint): void {
    partition.logStart = offset
    this.log(partition).deleteBefore(offset)
    this.look()
  }

  drop({ id }: KnownPartition): void {
    this.model.partitions.delete(id)
    this.store.drop(id)
  }

  /** Sees what a reader would, which must not be taken back later. */
  look(): void {
    const [noticed] = this.#noticed
    hold(noticed === undefined, () => noticed!)
    for (const partition of this.model.partitions.values()) {
      const { highWatermark, lastStableOffset, logStartOffset } = this.log(partition)
      hold(
        partition.shownStable <= lastStableOffset && lastStableOffset <= highWatermark,
        () =>
          `partition ${partition.id} was stable up to ${partition.shownStable}, and is up to ${lastStableOffset} of ${highWatermark}`,
      )
      hold(
        highWatermark >= partition.shown,
        () => `partition ${partition.id} went back from ${partition.shown} to ${highWatermark}`,
      )
      hold(
        logStartOffset === partition.logStart,
        () => `partition ${partition.id} begins at ${logStartOffset}, not at ${partition.logStart}`,
      )
      partition.shown = highWatermark
      partition.shownStable = lastStableOffset
    }
  }

  /** Reads a part of a partition and compares it with what was appended. */
  async read(partition: KnownPartition, offset: bigint, lengthMax: number): Promise<void> {
    const log = this.log(partition)
    checkTransactions(partition, log)
    const limit = log.highWatermark
    const slice = await log.read(offset, { lengthMax, limit, atLeastOne: true })
    const first = partition.batches.findIndex(batch => batch.nextOffset > offset)
    const last = partition.batches.findIndex(batch => batch.nextOffset === slice.nextOffset)
    const wanted = Buffer.concat(partition.batches.slice(first, last + 1).map(({ bytes }) => bytes))
    hold(
      Buffer.concat(slice.pieces).equals(wanted),
      () => `partition ${partition.id} reads otherwise from ${offset} than it was written`,
    )
    slice.release()
  }

  /**
   * Holds what recovery has found against the model: everything acknowledged is there with the bytes that it had; of
   * the rest there is what was accepted first, in whole blocks; retries are recognised; indexes and blocks agree, where
   * `isAudited`. The model then says what is there.
   */
  async verify({ isAudited }: { isAudited: boolean }): Promise<void> {
    const { model, store } = this
    hold(!this.isFenced, () => `recovery found damage: ${store.shards.map(({ fault }) => fault?.message)}`)
    const blocks = new Map<Promise<void>, boolean>()
    for (const partition of model.partitions.values()) await this.#verifyPartition(partition, blocks)
    const problems = isAudited ? await audit(store) : []
    hold(problems.length === 0, () => `the audit says: ${problems.join('; ')}`)
    this.look()
  }

  async #verifyPartition(partition: KnownPartition, blocks: Map<Promise<void>, boolean>): Promise<void> {
    const { id, batches, logStart, shown } = partition
    const log = this.log(partition)
    const end = log.highWatermark
    hold(end === log.logEndOffset, () => `partition ${id} has something unseen after recovery`)
    hold(end >= shown, () => `partition ${id} went back from ${shown} to ${end}`)
    hold(end >= logStart, () => `partition ${id} ends at ${end}, before its start ${logStart}`)
    const kept = batches.filter(batch => batch.nextOffset <= end)
    for (const batch of batches) {
      const isKept = batch.nextOffset <= end
      hold(
        isKept || batch.fate !== 'acknowledged',
        () => `partition ${id} lost acknowledged offset ${batch.baseOffset}; it ends at ${end}`,
      )
      // What was deleted since may not be found again, which says nothing of its block.
      if (batch.nextOffset <= logStart) continue
      hold(
        (blocks.get(batch.block) ?? isKept) === isKept,
        () => `the block of offset ${batch.baseOffset} of partition ${id} is there in part`,
      )
      blocks.set(batch.block, isKept)
      const epoch = log.state.epochs.of(Number(batch.baseOffset))
      hold(
        !isKept || batch.baseOffset < logStart || epoch === batch.leaderEpoch,
        () => `offset ${batch.baseOffset} of partition ${id} is of epoch ${batch.leaderEpoch}, not ${epoch}`,
      )
    }
    hold(
      (kept.at(-1)?.nextOffset ?? 0n) === end || end === logStart,
      () => `partition ${id} ends within a batch, at ${end}`,
    )
    const alive = kept.filter(batch => batch.nextOffset > logStart)
    const found = await readAll(log)
    hold(
      found.equals(Buffer.concat(alive.map(({ bytes }) => bytes))),
      () => `partition ${id} holds other bytes from ${logStart} to ${end} than were written`,
    )
    const size = alive.reduce((sum, { bytes }) => sum + bytes.length, 0)
    hold(log.sizeInBytes === size, () => `partition ${id} counts ${log.sizeInBytes} bytes, not ${size}`)
    // Readers see them now, acknowledged or not.
    for (const batch of kept) batch.fate = 'acknowledged'
    partition.batches.splice(0, Infinity, ...kept)
    this.#verifyRetries(partition, log)
    checkTransactions(partition, log)
  }

  #verifyRetries(partition: KnownPartition, log: PartitionLog): void {
    const { id, batches } = partition
    const dataOf = (producerId: bigint): AppendedBatch[] =>
      batches.filter(
        ({ bytes }) =>
          bytes.readBigInt64BE(producerIdAt) === producerId && bytes.readInt32BE(baseSequenceAt) >= 0,
      )
    for (let which = 0; which < transactionalCount; which++)
      partition.transactional[which] = countOf(dataOf(transactionalId(partition, which)))
    const own = dataOf(BigInt(id))
    partition.sequence = countOf(own)
    for (const { bytes, baseOffset } of own.slice(-2)) {
      const again = log.append(stamped(bytes, 0n, -1))
      hold(
        again.isDuplicate && again.baseOffset === baseOffset,
        () => `a retry of offset ${baseOffset} of partition ${id} was stored again at ${again.baseOffset}`,
      )
    }
  }
}

const leaderEpochAt = 12
const producerIdAt = 43
const baseSequenceAt = 53
const recordCountAt = 57

function countOf(batches: readonly AppendedBatch[]): number {
  return batches.reduce((sum, { bytes }) => sum + bytes.readInt32BE(recordCountAt), 0)
}

function stamped(batch: Buffer, baseOffset: bigint, leaderEpoch: number): Buffer {
  const bytes = Buffer.from(batch)
  bytes.writeBigInt64BE(baseOffset, 0)
  bytes.writeInt32BE(leaderEpoch, leaderEpochAt)
  return bytes
}

async function readAll(log: PartitionLog): Promise<Buffer> {
  const pieces: Buffer[] = []
  const limit = log.highWatermark
  for (let offset = log.logStartOffset; offset < limit;) {
    const slice = await log.read(offset, { lengthMax: 1 << 20, limit, atLeastOne: true })
    pieces.push(...slice.pieces.map(piece => Buffer.from(piece)))
    offset = slice.nextOffset
    slice.release()
  }
  return Buffer.concat(pieces)
}
