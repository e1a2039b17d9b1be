import { assert } from '../base/assert.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { Slabs } from '../base/slabs.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Batch } from '../protocol/records/batch.ts'
import { RecordsError } from '../protocol/records/errors.ts'
import { buildBatch, readRecords } from '../protocol/records/record.ts'
import type { Appended, AppendOptions, PartitionLog, Stored } from '../storage/partition-log.ts'
import { admit, type Admission } from './admission.ts'
import { Eras, type Era } from './eras.ts'
import { GapWatch, type Gap } from './gap-watch.ts'
import { OrderedView } from './ordered-view.ts'
import { VlsnPartition } from './vlsn-partition.ts'

/** What the metadata says of a VLSN topic. */
export interface VlsnState {
  readonly eras: readonly Era[]
  /** Where the ordered view begins: nothing from here on was deleted. */
  readonly start: bigint
  /** The newest gap that was closed: what is missing from `from` to before `to`, and below, will not come. */
  readonly closed: { readonly from: bigint; readonly to: bigint }
}

export interface VlsnTopicOptions {
  readonly clock: Clock
  /** For what the view builds. */
  readonly slabs: Slabs
  /** Has it synced that what is missing from `from` to before `to` will not come; `apply` follows. Rejects with KAFKA_STORAGE_ERROR. */
  closeGap(gap: { readonly from: bigint; readonly to: bigint }): Promise<void>
  reportBug(error: unknown): void
}

/** A batch as it was checked: its bytes, and what its records are without compression. */
export interface Submitted {
  readonly batch: Batch
  readonly body: Buffer
}

/**
 * A topic whose records are numbered by their writer: takes them in by the rules of VLSNs, knows where each is, and knows how far
 * nothing is missing any more. That end is the least of the partitions' frontiers; it is found anew when somebody asks after
 * something has moved.
 */
export class VlsnTopic {
  readonly view: OrderedView
  readonly partitions: VlsnPartition[] = []
  readonly #gaps: GapWatch
  readonly #clock: Clock
  readonly #cancels: Cancel[] = []
  readonly #listeners = new Set<() => void>()
  #eras: Eras
  #start: bigint
  /** Nothing below is taken in or waited for. */
  #floor: bigint
  #floorSynced: bigint
  /** An era that is being synced begins here. */
  #eraPending: bigint | undefined
  #end = 0n
  #isStale = true
  #isToTell = false
  /** The indexes say what the logs hold. */
  #isReady = false
  #isWhole = true
  #isClosed = false

  constructor(state: VlsnState, options: VlsnTopicOptions) {
    this.#clock = options.clock
    this.#eras = new Eras(state.eras)
    this.#start = this.#floor = this.#floorSynced = 0n
    this.view = new OrderedView(this, options)
    this.#gaps = new GapWatch(this, options)
    this.apply(state)
  }

  get eras(): Eras {
    return this.#eras
  }

  /** The first VLSN of the view. */
  get start(): bigint {
    return this.#start
  }

  /** The end of the gapless prefix: everything below is there and may be seen, or will never come. Never goes back. */
  get end(): bigint {
    if (this.#isStale) this.#refresh()
    return this.#end
  }

  /** Every partition could be read at the start. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Takes what the metadata says, when it is synced. */
  apply({ eras, start, closed }: VlsnState): void {
    this.#eras = new Eras(eras)
    this.#eraPending = undefined
    this.#start = start
    this.#floorSynced = closed.to > start ? closed.to : start
    if (this.#floorSynced > this.#floor) this.#floor = this.#floorSynced
    this.#moved()
  }

  /** Takes in partitions that were added; they are empty, unless `load` follows. */
  extend(logs: readonly PartitionLog[]): void {
    for (const log of logs.slice(this.partitions.length)) {
      this.partitions.push(new VlsnPartition(this.partitions.length, log))
      this.#cancels.push(log.onAdvance(() => this.#moved()))
    }
    this.#moved()
  }

  /** Finds the VLSNs of logs that were there before. */
  async load(): Promise<void> {
    await Promise.all(this.partitions.map(partition => partition.load(this.#eras)))
    this.#isWhole = this.partitions.every(({ fault }) => fault === undefined)
    this.begin()
  }

  /** The logs are empty, or loaded: from now on gaps are looked for. */
  begin(): void {
    this.#isReady = true
    this.#moved()
  }

  /** `gapTimeoutMs`: how long the view waits for a VLSN that is missing while later ones are there. */
  configure(settings: { readonly gapTimeoutMs: number }): void {
    this.#gaps.configure(settings)
  }

  /**
   * Appends a batch to a partition by the rules of VLSNs (`admit`), once its producer's sequence has been judged. Throws as
   * `PartitionLog.append` does, RecordsError INVALID_RECORD, and NOT_LEADER_OR_FOLLOWER while partitions are being added, for numbers
   * whose place that decides.
   */
  append(number: number, { batch, body }: Submitted, options: AppendOptions): Appended {
    const partition = this.partitions[number]!
    const { log, index } = partition
    if (partition.fault !== undefined) throw new KafkaError('KAFKA_STORAGE_ERROR')
    const judge = (): Admission => {
      const admission = admit(batch, body, {
        eras: this.#eras,
        partition: number,
        log,
        index,
        floor: this.#floor,
      })
      if (this.#eraPending !== undefined && admission.vlsns.at(-1)! >= this.#eraPending)
        throw new KafkaError('NOT_LEADER_OR_FOLLOWER', 'Partitions are being added')
      return admission
    }
    let admission: Admission | undefined
    let { view } = batch
    let { hold } = options
    let isWhole = true
    if (!batch.hasProducerId) {
      admission = judge()
      const { storedCount, vlsns } = admission
      if (storedCount > 0 && storedCount < vlsns.length) {
        view = this.#withoutStored(partition, batch, admission)
        hold = undefined
        isWhole = false
      }
    }
    const appended = log.append(view, {
      ...options,
      hold,
      admit: () => repetitionIn((admission ??= judge()), isWhole),
    })
    if (appended.isDuplicate) return appended
    const { vlsns, storedCount } = admission!
    const baseOffset = Number(appended.baseOffset)
    for (let at = storedCount; at < vlsns.length; at++) index.note(vlsns[at]!, baseOffset + at - storedCount)
    return storedCount === 0 ? appended : { ...appended, baseOffset: BigInt(baseOffset - storedCount) }
  }

  /** What of a batch is new, where the rest is what its partition ends with: a client that sends again may have added to it. */
  #withoutStored({ log }: VlsnPartition, batch: Batch, { storedCount, storedOffset }: Admission): Buffer {
    if (storedOffset + storedCount !== Number(log.logEndOffset)) throw partlyStored(storedCount)
    const { codec, timestampType, maxTimestamp } = batch
    const records = [...readRecords(batch)]
      .slice(storedCount)
      .map(({ timestamp, key, value, headers }) => ({ timestamp, key, value, headers }))
    return buildBatch({ records, codec, timestampType, maxTimestamp })
  }

  #moved(): void {
    this.#isStale = true
    if (this.#isToTell || this.#isClosed) return
    this.#isToTell = true
    // All partitions of a block move in one turn.
    this.#clock.soon(() => {
      this.#isToTell = false
      if (this.#isClosed) return
      for (const { log, index } of this.partitions) index.trimBefore(Number(log.logStartOffset))
      for (const listener of Array.from(this.#listeners)) listener()
      if (this.#isReady) this.#gaps.check()
    })
  }

  #refresh(): void {
    this.#isStale = false
    let end: bigint | undefined
    for (const partition of this.partitions) {
      if (partition.fault !== undefined) return
      const frontier = partition.frontier(this.#eras, this.#floorSynced)
      if (end === undefined || frontier < end) end = frontier
    }
    for (const least of [end, this.#start]) if (least !== undefined && least > this.#end) this.#end = least
  }

  /** Calls `listener` after the end or the start may have moved. */
  onAdvance(listener: () => void): Cancel {
    const own = (): void => listener()
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** What is missing at the end, if something behind it was accepted: up to the first VLSN that was. */
  gap(): Gap | undefined {
    const { end } = this
    let next: Gap | undefined
    for (const partition of this.partitions) {
      if (partition.fault !== undefined) return undefined
      const place = partition.index.firstFrom(end)
      if (place && (!next || place.vlsn < next.to)) next = { from: end, to: place.vlsn, place, partition }
    }
    return next && next.to > end ? next : undefined
  }

  /** Takes nothing in any more below `floor`; to be synced before the view goes by it. */
  raiseFloor(floor: bigint): void {
    assert(floor >= this.#floor, `the floor of ${this.#floor} lowered to ${floor}`)
    this.#floor = floor
  }

  /** The era of so many partitions, from the first VLSN on that no record has; nothing from there on is taken in until `apply`. */
  nextEra(partitionCount: number): Eras {
    let firstVlsn = this.end > this.#floor ? this.end : this.#floor
    for (const { index } of this.partitions) if (index.last >= firstVlsn) firstVlsn = index.last + 1n
    this.#eraPending = firstVlsn
    return this.#eras.with({ firstVlsn, partitionCount })
  }

  /** Where the view starts once a partition begins at `offset`: behind the last VLSN that is deleted then. */
  startAfterDeletion(log: PartitionLog, offset: bigint): bigint {
    const { index } = this.partitions.find(partition => partition.log === log)!
    const deleted = index.lastBeforeOffset(Number(offset))
    return deleted && deleted.vlsn >= this.#start ? deleted.vlsn + 1n : this.#start
  }

  /**
   * The greatest VLSN, plus one, below which everything is committed in every partition, where `offsets[i]` is what is committed in
   * partition `i`, and nothing that is what its log starts with. One that is committed to its end holds nothing back.
   */
  committedBelow(offsets: readonly (bigint | undefined)[]): bigint {
    let least = this.end
    for (const { number, log, index } of this.partitions) {
      const open = index.firstFromOffset(Number(offsets[number] ?? log.logStartOffset))
      if (open && open.vlsn < least) least = open.vlsn
    }
    return least
  }

  /** The offset of the first record of a partition whose VLSN is not below `vlsn`, else the partition's end. */
  offsetFrom(number: number, vlsn: bigint): bigint {
    const { log, index } = this.partitions[number]!
    const place = index.firstFrom(vlsn)
    const end = log.highWatermark
    return place && BigInt(place.offset) < end ? BigInt(place.offset) : end
  }

  /** The topic is gone, or the broker closes. */
  close(): void {
    this.#isClosed = true
    this.#gaps.close()
    this.view.close()
    for (const cancel of this.#cancels) cancel()
    for (const listener of Array.from(this.#listeners)) listener()
  }
}

/** Where a batch is stored that repeats what is there. Throws where only a part of it is, and the rest is not to be had from it. */
function repetitionIn({ vlsns, storedCount, storedOffset }: Admission, isWhole: boolean): Stored | undefined {
  if (storedCount === 0 || !isWhole) return undefined
  if (storedCount < vlsns.length) throw partlyStored(storedCount)
  return { baseOffset: storedOffset, lastOffset: storedOffset + storedCount - 1 }
}

function partlyStored(count: number): RecordsError {
  const message = 'Stored already, where those sent with it are not'
  const faults = Array.from({ length: count }, (_, batchIndex) => ({ batchIndex, message }))
  return new RecordsError(
    'INVALID_RECORD',
    `The first ${count} records of the batch are stored already`,
    faults,
  )
}
