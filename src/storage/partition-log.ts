import { assert } from '../base/assert.ts'
import type { Cancel } from '../base/clock.ts'
import type { Copies, Region, Slabs } from '../base/slabs.ts'
import { KafkaError } from '../protocol/errors.ts'
import { readBigInt64, toInt64 } from '../protocol/int64.ts'
import {
  attribute,
  field,
  logOverhead,
  magicCurrent,
  none,
  readBatch,
  stamp,
  type Batch,
} from '../protocol/records/batch.ts'
import { buildMarker, type MarkerDraft } from '../protocol/records/control.ts'
import { firstAtOrAfter, greatestTimestamp, type TimestampAndOffset } from '../protocol/records/timestamps.ts'
import type { AbortedTransactions } from './aborted-transactions.ts'
import type { VirtualSegment } from './compaction/cleanable.ts'
import type { AbortedTransaction } from './compaction/transaction-walk.ts'
import { groupCommit, type Durability } from './durability.ts'
import { defaultLogSettings, type LogSettings } from './log-settings.ts'
import type { PartitionState } from './partition-state.ts'
import type { Sequenced } from './producer-state.ts'
import type { EpochEnd, ReadablePartition, TimestampOffset } from './readable-partition.ts'
import { Reading, type ReadOptions, type Slice } from './reading.ts'
import { retainedFrom } from './retention.ts'
import { RunRows } from './run-rows.ts'
import type { Shard } from './shard.ts'

export type { EpochEnd, ReadablePartition, TimestampOffset } from './readable-partition.ts'
export type { ReadOptions, Slice } from './reading.ts'

/** A partition's number in the whole broker: a uint32 given by the catalog, never given twice. */
export type PartitionId = number

/** What became of an appended batch. */
export interface Appended {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  /** The batch was there already (an idempotent producer's retry); the offsets are those of the first time. */
  readonly isDuplicate: boolean
  /**
   * Resolves when whoever appended may be answered: at once in `async` mode, else once the batch is synced, with one promise
   * for the whole block. Rejects with KAFKA_STORAGE_ERROR.
   */
  readonly committed: Promise<void>
  /** The broker-wide number of the entry; undefined for a duplicate. */
  readonly lsn: number | undefined
  /** The commit epoch, for `flushed`: the number of the block. */
  readonly epoch: number
  /** Of a duplicate whose producer is remembered: the greatest timestamp that it was stored with, in milliseconds since 1970. */
  readonly storedTimestamp: number | undefined
}

export interface AppendOptions {
  /** The slab memory that the batch lies in. It is retained and stamped in place, where that is better than a copy. */
  readonly hold?: Region | undefined
  /** `groupCommit` when nothing is said. */
  readonly durability?: Durability | undefined
  /**
   * Has the last word on a batch that is new to its producer, before it is given its offset: throws to refuse it, and tells where
   * its records are where they are stored already.
   */
  readonly admit?: (() => Stored | undefined) | undefined
  /** The producer's epoch rises with each end (KIP-890): where nothing is known of it, its sequence begins at 0. */
  readonly supportsEpochBump?: boolean | undefined
}

/** The end of a producer's transaction, as its coordinator decided it. */
export interface TransactionEnd extends Pick<
  MarkerDraft,
  'producerId' | 'producerEpoch' | 'coordinatorEpoch'
> {
  readonly type: 'COMMIT' | 'ABORT'
  /** In milliseconds since 1970. */
  readonly timestamp: bigint
  /** The level of `transaction.version` that the transaction goes by. */
  readonly transactionVersion: number
}

/** What is known of a producer (DescribeProducers, KIP-664); -1 where there is nothing to tell. */
export interface ActiveProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: bigint
  readonly coordinatorEpoch: number
  readonly currentTxnStartOffset: bigint
}

/** Records that are in the log, accepted at least. */
export interface Stored {
  readonly baseOffset: number
  readonly lastOffset: number
  /** The greatest of them, where it is known. */
  readonly timestamp?: number
}

export interface PartitionLogOptions {
  readonly state: PartitionState
  readonly shard: Shard
  /** For what is read. */
  readonly slabs: Slabs
  /** For what is written and not held. */
  readonly copies: Copies
  readonly createdAt: number
  readonly leaderEpoch: number
}

// Small batches are copied together: they pin no slab of somebody else's frames, and are written as one piece.
const copiedLengthMax = 2048
const searchAgainMsMin = 1000
/** The byte that has all attributes of a batch. */
const attributesLow = field.attributes + 1

/** One partition: a sequence of batches with rising offsets. */
export class PartitionLog implements ReadablePartition {
  readonly id: PartitionId
  /** The start count at which the partition was made. */
  readonly createdAt: number
  readonly leaderEpoch: number
  /** For the storage's own rooms. */
  readonly state: PartitionState
  /** The number of the newest block with entries of this partition, and which of its partitions this one is. */
  block = 0
  indexInBlock = 0
  /** Everything below may be seen. */
  committedOffset: number
  /** Everything below is on disk. */
  syncedOffset: number
  readonly #shard: Shard
  readonly #copies: Copies
  readonly #reading: Reading
  readonly #listeners = new Set<() => void>()
  /** Compaction has found records in it that are not sound. */
  isUncleanable = false
  #isOver = false
  #searchedAgainMs = -Infinity
  #settings: LogSettings | undefined

  constructor({ state, shard, slabs, copies, createdAt, leaderEpoch }: PartitionLogOptions) {
    this.id = state.partition
    this.state = state
    this.createdAt = createdAt
    this.leaderEpoch = leaderEpoch
    this.committedOffset = this.syncedOffset = state.nextOffset
    this.#shard = shard
    this.#copies = copies
    this.#reading = new Reading(state, slabs, shard.logger, shard.readAhead)
  }

  /** The shard that holds it. */
  get shard(): number {
    return this.#shard.id
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The first offset that can be read. */
  get logStartOffset(): bigint {
    return BigInt(this.state.logStart)
  }

  /** The next batch's base offset: everything below was accepted. */
  get logEndOffset(): bigint {
    return BigInt(this.state.nextOffset)
  }

  /** Everything below may be seen: it is on disk, or in `async` mode written. */
  get highWatermark(): bigint {
    return BigInt(this.committedOffset)
  }

  /**
   * Everything below is decided: what a reader with isolation level read_committed may see. The first offset of the earliest
   * transaction that is open or whose marker cannot be seen yet, else the high watermark. Never goes back.
   */
  get lastStableOffset(): bigint {
    const { transactions, logStart } = this.state
    const stable = transactions.stableBelow(this.committedOffset)
    return BigInt(stable < logStart ? this.#stableFromStart() : stable)
  }

  /** Where a transaction that is open goes on from the log start may be found by now. A bad sector takes its time to refuse. */
  #stableFromStart(): number {
    const nowMs = this.#shard.clock.monotonic()
    if (nowMs >= this.#searchedAgainMs + searchAgainMsMin) {
      this.#searchedAgainMs = nowMs
      this.state.beginCut()
    }
    return Math.max(this.state.transactions.stableBelow(this.committedOffset), this.state.logStart)
  }

  /**
   * The transactions that were aborted and reach into the offsets from `from` to before `to`: of what lies there, their data is not to
   * be shown to a reader with isolation level read_committed.
   */
  abortedTransactions(from: bigint, to: bigint): AbortedTransaction[] {
    return this.aborted.between(Number(from), Number(to))
  }

  /** All of them, for whoever reads now and asks when it is known how far. */
  get aborted(): AbortedTransactions {
    return this.state.transactions.aborted
  }

  /** Where a producer's open transaction began, and the epoch it last wrote with; undefined where it has none. */
  ongoingTransaction(producerId: bigint): { firstOffset: bigint; producerEpoch: number } | undefined {
    const firstOffset = this.state.transactions.openSince(producerId)
    if (firstOffset === undefined) return undefined
    return { firstOffset: BigInt(firstOffset), producerEpoch: this.state.producers.get(producerId)!.epoch }
  }

  /** Throws INVALID_PRODUCER_EPOCH where `append` would, since the producer was fenced here. */
  checkProducer({ producerId, producerEpoch }: Pick<Sequenced, 'producerId' | 'producerEpoch'>): void {
    this.state.producers.check({ producerId, producerEpoch, baseSequence: none, lastOffsetDelta: 0 })
  }

  /** Bytes of the batches from the log start on. */
  get sizeInBytes(): number {
    return this.state.sizeInBytes
  }

  /** The idempotent and transactional producers that wrote here and are remembered. */
  *producers(): Generator<ActiveProducer, void, void> {
    const { producers, transactions } = this.state
    for (const { producerId, epoch, lastTimestamp, coordinatorEpoch, batches } of producers) {
      yield {
        producerId,
        producerEpoch: epoch,
        lastSequence: batches.at(-1)?.lastSequence ?? -1,
        lastTimestamp: toInt64(lastTimestamp),
        coordinatorEpoch,
        currentTxnStartOffset: BigInt(transactions.openSince(producerId) ?? -1),
      }
    }
  }

  /** Forgets the producers without an open transaction whose last batch has a timestamp so old (`producer.id.expiration.ms`). */
  expireProducers(expirationMs: number): void {
    const { producers, transactions } = this.state
    producers.expire(
      this.#shard.clock.now() - expirationMs,
      producerId => transactions.openSince(producerId) !== undefined,
    )
  }

  /**
   * Appends one v2 batch of data that has been checked. Everything is decided at once: offsets, LSN and place. A transactional one
   * begins its producer's transaction here where none is open; that a coordinator knows of it is for the caller to see to. Throws
   * KAFKA_STORAGE_ERROR once the shard has failed, UNKNOWN_TOPIC_OR_PARTITION after the partition was dropped, and
   * what Kafka's ProducerStateManager throws: INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, and INVALID_TXN_STATE for a
   * batch that belongs to no transaction while its producer has one open.
   */
  append(batch: Buffer, options: AppendOptions = {}): Appended {
    this.#checkWritable()
    assert(batch[field.magic] === magicCurrent, 'a batch appended that is not of format 2')
    assert(
      batch.length === logOverhead + batch.readInt32BE(field.batchLength),
      'not exactly one batch appended',
    )
    assert((batch[attributesLow]! & attribute.control) === 0, 'a control batch appended as data')
    const repeated = this.#check(batch, options) ?? options.admit?.()
    if (repeated) return this.#answerAgain(repeated, options.durability ?? groupCommit)
    return this.#accept(batch, options)
  }

  /**
   * Appends the marker that ends a producer's transaction here. Where the producer has nothing open it is appended all the same, and
   * ends nothing: the transaction was empty, or the marker is written again. Throws KAFKA_STORAGE_ERROR and
   * UNKNOWN_TOPIC_OR_PARTITION as `append` does, and what Kafka's ProducerAppendInfo throws: INVALID_PRODUCER_EPOCH for a
   * fenced producer, or an end that comes late, and TRANSACTION_COORDINATOR_FENCED.
   */
  endTransaction(end: TransactionEnd, options: Pick<AppendOptions, 'durability'> = {}): Appended {
    this.#checkWritable()
    const { producers, transactions } = this.state
    const isOpen = transactions.openSince(end.producerId) !== undefined
    producers.checkMarker({ ...end, isOpen })
    return this.#accept(buildMarker(end), options)
  }

  #checkWritable(): void {
    if (this.#shard.fault) throw this.#shard.fault
    if (this.#isOver) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  }

  #accept(batch: Buffer, { hold, durability = groupCommit }: AppendOptions): Appended {
    const isHeld = hold !== undefined && batch.length > copiedLengthMax
    const region = isHeld ? hold.retain() : this.#copies.add(batch)
    const at = isHeld ? region.positionOf(batch) : this.#copies.at
    const baseOffset = this.state.nextOffset
    stamp(region.bytes, at, baseOffset, this.leaderEpoch)
    const block = this.#shard.accept(this, region, at, durability)
    const isOwed = this.#isOwed(durability)
    if (isOwed) this.#shard.hasten(block)
    return {
      baseOffset: BigInt(baseOffset),
      lastOffset: BigInt(this.state.nextOffset - 1),
      isDuplicate: false,
      committed: durability.mode === 'async' && !isOwed ? settled : block.committed,
      lsn: block.lastLsn,
      epoch: block.number,
      storedTimestamp: undefined,
    }
  }

  /** Resolves once the block of this number is synced, and asks for that; rejects with KAFKA_STORAGE_ERROR. */
  flushed(epoch: number): Promise<void> {
    return this.#shard.flushed(epoch)
  }

  /** More of this partition is accepted and not synced than an answer may leave behind. */
  #isOwed({ unsyncedRecordsMax }: Durability): boolean {
    return this.state.nextOffset - this.syncedOffset >= unsyncedRecordsMax
  }

  #check(batch: Buffer, { supportsEpochBump }: AppendOptions): Stored | undefined {
    if (batch.readInt32BE(field.producerId) < 0) return undefined
    const { producers, transactions } = this.state
    const sequenced: Sequenced = {
      producerId: readBigInt64(batch, field.producerId),
      producerEpoch: batch.readInt16BE(field.producerEpoch),
      baseSequence: batch.readInt32BE(field.baseSequence),
      lastOffsetDelta: batch.readInt32BE(field.lastOffsetDelta),
    }
    const isTransactional = (batch[attributesLow]! & attribute.transactional) !== 0
    const repeated = producers.check(sequenced, isTransactional && supportsEpochBump)
    if (!repeated) {
      if (!isTransactional && transactions.openSince(sequenced.producerId) !== undefined) {
        throw new KafkaError(
          'INVALID_TXN_STATE',
          `Expected transactional write from producer ${sequenced.producerId}, which has a transaction open here`,
        )
      }
      return undefined
    }
    const { lastOffset, offsetDelta, timestamp } = repeated
    return { baseOffset: lastOffset - offsetDelta, lastOffset, timestamp }
  }

  #answerAgain({ baseOffset, lastOffset, timestamp }: Stored, durability: Durability): Appended {
    const isWaitedFor =
      lastOffset >= this.syncedOffset && (durability.mode !== 'async' || this.#isOwed(durability))
    return {
      baseOffset: BigInt(baseOffset),
      lastOffset: BigInt(lastOffset),
      isDuplicate: true,
      // The first time may not be synced yet; blocks are synced in order, so the newest is late enough.
      committed: isWaitedFor ? this.#shard.flush() : settled,
      lsn: undefined,
      epoch: this.#shard.epoch,
      storedTimestamp: timestamp,
    }
  }

  /**
   * Whole batches from the one that holds `offset`, up to the limit. Synchronous as long as they are in RAM, or few and
   * short. Throws or rejects with OFFSET_OUT_OF_RANGE, and with KAFKA_STORAGE_ERROR where the disk does not give back what
   * was written.
   */
  read(offset: bigint, options: ReadOptions): Slice | Promise<Slice> {
    if (this.#isOver) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    const { logStart, nextOffset } = this.state
    const from = Number(offset)
    if (from < logStart || from > nextOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `Offset ${offset} is not between ${logStart} and ${nextOffset}`,
      )
    }
    const limit = Math.min(Number(options.limit), this.committedOffset)
    return this.#reading.read(from, limit, options)
  }

  /**
   * The batch that holds `offset`, accepted or synced, at once: for the rare case in which the order of what comes depends on what is
   * there. Throws as `read` does.
   */
  readAccepted(offset: number): Slice {
    return this.#reading.readBatchSync(offset, this.state.nextOffset)
  }

  /** The first record at or after `timestamp`, by its own timestamp (ListOffsets). Rejects with KAFKA_STORAGE_ERROR as `read`. */
  offsetForTimestamp(timestamp: bigint): Promise<TimestampOffset | undefined> {
    return this.#offsetForTimestamp(timestamp).catch(error => this.#reading.refuse(error))
  }

  async #offsetForTimestamp(timestamp: bigint): Promise<TimestampOffset | undefined> {
    const target = Number(timestamp)
    for (let from = this.state.logStart; ;) {
      const reaching = await this.#firstReaching(target, from)
      if (!reaching) return undefined
      const found = await this.#inBatch(reaching.baseOffset, batch =>
        firstAtOrAfter(batch, timestamp, this.logStartOffset),
      )
      if (found) return found
      from = reaching.nextOffset
    }
  }

  /** The first record with the greatest timestamp (ListOffsets, KIP-734). Rejects with KAFKA_STORAGE_ERROR as `read`. */
  maxTimestamp(): Promise<TimestampOffset | undefined> {
    return this.#maxTimestamp().catch(error => this.#reading.refuse(error))
  }

  async #maxTimestamp(): Promise<TimestampOffset | undefined> {
    let greatest: { offset: number; timestamp: number } | undefined
    const rows = new RunRows()
    for (const run of this.state.runs.toSorted((a, b) => b.maxTimestamp - a.maxTimestamp)) {
      if (greatest && run.maxTimestamp < greatest.timestamp) break
      for (let index = 0; index < run.rowCount; index++) {
        const { baseOffset, nextOffset, maxTimestamp, recordCount } = rows.row(run, index)
        if (nextOffset > this.committedOffset) break
        if (nextOffset <= this.state.logStart || recordCount === 0) continue
        if (greatest && maxTimestamp < greatest.timestamp) continue
        if (maxTimestamp === greatest?.timestamp && baseOffset > greatest.offset) continue
        greatest = { offset: baseOffset, timestamp: maxTimestamp }
      }
    }
    return greatest && this.#inBatch(greatest.offset, greatestTimestamp)
  }

  /** The offsets of the first visible batch with records behind `from` that reaches `timestamp`. */
  async #firstReaching(
    timestamp: number,
    from: number,
  ): Promise<{ baseOffset: number; nextOffset: number } | undefined> {
    const { state } = this
    const runs = state.runs.filter(run => run.nextOffset > from && run.maxTimestamp >= timestamp)
    for (const run of runs) {
      const start = state.runs.includes(run) ? await run.segment.strideBefore(run, timestamp) : 0
      // It was rewritten meanwhile, or has died.
      if (!state.runs.includes(run)) return this.#firstReaching(timestamp, from)
      const rows = new RunRows()
      const first = rows.find(run, Math.max(start, from, state.logStart))
      for (let index = first; index < run.rowCount; index++) {
        const { baseOffset, nextOffset, maxTimestamp, recordCount } = rows.row(run, index)
        if (nextOffset > this.committedOffset) return undefined
        if (maxTimestamp >= timestamp && recordCount > 0) return { baseOffset, nextOffset }
      }
    }
    return undefined
  }

  async #inBatch(
    offset: number,
    look: (batch: Batch) => TimestampAndOffset | null,
  ): Promise<TimestampOffset | undefined> {
    const from = BigInt(Math.max(offset, this.state.logStart))
    const slice = await this.read(from, { lengthMax: 0, limit: this.highWatermark, atLeastOne: true })
    try {
      if (slice.length === 0) return undefined
      const batch = readBatch(slice.pieces[0]!)
      const found = look(batch)
      return found ? { ...found, leaderEpoch: batch.partitionLeaderEpoch } : undefined
    } finally {
      slice.release()
    }
  }

  /** Whether a control batch lies at the offsets from `from` to before `to`; told by the rows alone. */
  hasControl(from: number, to: number): boolean {
    const rows = new RunRows()
    for (const run of this.state.runs) {
      if (run.nextOffset <= from) continue
      for (let index = rows.find(run, from); index < run.rowCount; index++) {
        const row = rows.row(run, index)
        if (row.baseOffset >= to) return false
        if (row.isControl) return true
      }
    }
    return false
  }

  /** Where the greatest leader epoch not above `leaderEpoch` ends (OffsetForLeaderEpoch). */
  epochEnd(leaderEpoch: number): EpochEnd {
    const current = { epoch: this.leaderEpoch, endOffset: this.committedOffset }
    const { epoch, endOffset } = this.state.epochs.endOf(leaderEpoch, current)
    return { leaderEpoch: epoch, endOffset: BigInt(endOffset) }
  }

  /**
   * Moves the log start up to `offset`, never down. The caller has made that durable before and says it again after a
   * restart; so an offset behind the end, which can only be left over from a log that was deleted whole, moves that too.
   */
  deleteBefore(offset: bigint): void {
    const start = Number(offset)
    const { state } = this
    if (start <= state.logStart) return
    state.moveStart(start)
    state.nextOffset = Math.max(state.nextOffset, start)
    this.committedOffset = Math.max(this.committedOffset, start)
    this.syncedOffset = Math.max(this.syncedOffset, start)
    state.trim()
    this.dropDead()
    this.notify()
  }

  /** Gives up what lies before the log start. Files without anything alive go `file.delete.delay.ms` later. */
  dropDead(): void {
    this.#shard.sweep(this.state.dropDeadRuns(this.#keptUntilMs))
  }

  get #keptUntilMs(): number {
    return this.#shard.clock.monotonic() + (this.#settings?.fileDeleteDelayMs ?? 0)
  }

  /** What the log goes by; Kafka's defaults until `configure`. */
  get settings(): LogSettings {
    return this.#settings ?? defaultLogSettings
  }

  /** Goes by other settings from now on. Segments that were cut stay as they are. */
  configure(settings: LogSettings): void {
    this.#settings = settings
    this.state.configure(settings, this.#shard.clock.now())
  }

  /** Its segments as Kafka would have them, the last of which is active; known once it was configured. */
  get segments(): VirtualSegment[] {
    return this.state.virtualSegments.list()
  }

  /** Ends the active segment, so that it can be deleted or compacted. */
  roll(): void {
    this.state.virtualSegments.roll()
  }

  /** Where the log is to start by its retention settings; undefined where nothing is to go. */
  retainedFrom(): bigint | undefined {
    const { segments, settings, state } = this
    const { nextOffset: endOffset } = state
    // A start that is durable is nothing to be ahead of what is.
    const highWatermark = Math.min(this.committedOffset, this.syncedOffset)
    const log = { segments, endOffset, highWatermark }
    const start = retainedFrom(log, settings, this.#shard.clock.now())
    return start === undefined || start <= state.logStart ? undefined : BigInt(start)
  }

  /** Everything below `end` may be seen. What a later block has shown, or a log start is beyond, stays so. */
  show(end: number): void {
    if (end > this.committedOffset) this.committedOffset = end
  }

  /** Everything below `end` is on disk, and may be seen. */
  sync(end: number): void {
    this.show(end)
    if (end > this.syncedOffset) this.syncedOffset = end
  }

  /** Calls `listener` whenever the high watermark or the log start has moved, and when the partition is dropped. */
  onAdvance(listener: () => void): Cancel {
    const own = (): void => listener()
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Tells the listeners. */
  notify(): void {
    if (this.#listeners.size === 0) return
    for (const listener of Array.from(this.#listeners)) listener()
  }

  /** The topic is gone: what was written is dead, and nothing is read or appended any more. */
  drop(): void {
    this.#isOver = true
    this.#shard.sweep(this.state.dropAllRuns(this.#keptUntilMs))
    this.notify()
  }
}

const settled = Promise.resolve()
