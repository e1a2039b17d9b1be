import { AssertionError } from '../base/assert.ts'
import { readSyncLengthMax } from '../base/disk.ts'
import type { Logger } from '../base/logger.ts'
import type { Region, Slabs } from '../base/slabs.ts'
import { KafkaError } from '../protocol/errors.ts'
import { Batch } from '../protocol/records/batch.ts'
import type { PartitionState } from './partition-state.ts'
import { joinAdjacent } from './pieces.ts'
import { giveUp, type ReadAhead } from './read-ahead.ts'
import { agrees, rowLength, type RowView } from './row.ts'
import { RunRows } from './run-rows.ts'
import type { Segment } from './segment.ts'

export interface ReadOptions {
  /** Bytes to stay within; the first batch may pass it where `atLeastOne`. */
  readonly lengthMax: number
  /** The offset not to pass: the high watermark or the last stable offset. */
  readonly limit: bigint
  readonly atLeastOne: boolean
}

/** Whole batches in offset order. The pieces are good until `release`, which is called exactly once. */
export interface Slice {
  readonly pieces: readonly Buffer[]
  readonly length: number
  /** Where to read on. */
  readonly nextOffset: bigint
  release(): void
}

/** A batch that has to be read, and its place among the pieces. */
interface Cold {
  readonly piece: number
  readonly position: number
  readonly length: number
  /** A copy of its row, to be held against what the disk gives back. */
  readonly row: Buffer
}

/** Near batches of one segment that are read at once. */
interface Extent {
  readonly segment: Segment
  readonly position: number
  end: number
  readonly batches: Cold[]
}

// Up to here reading what lies between costs less than another call.
const gapLengthMax = 8192
// What the slabs give without setting memory apart for it alone.
const extentLengthMax = 256 * 1024

/** Reads one partition's batches: from the tail cache where they are there, else from its segments. */
export class Reading {
  readonly #state: PartitionState
  readonly #slabs: Slabs
  readonly #logger: Logger
  readonly #ahead: ReadAhead
  readonly #rows = new RunRows()
  /** Where the last long read from the disk ended. */
  #end = -1

  constructor(state: PartitionState, slabs: Slabs, logger: Logger, ahead: ReadAhead) {
    this.#state = state
    this.#slabs = slabs
    this.#logger = logger
    this.#ahead = ahead
  }

  /** Whole batches from the one that holds `from`, each ending at or before `limit`. */
  read(from: number, limit: number, { lengthMax, atLeastOne }: ReadOptions): Slice | Promise<Slice> {
    const ahead = this.#ahead.take(this, from)
    if (ahead && ahead.nextOffset <= limit && ahead.length <= lengthMax) {
      this.#readAhead(ahead.nextOffset, limit, lengthMax)
      return ahead.slice
    }
    if (ahead) void giveUp(ahead)
    const plan = this.#planned(from, limit, lengthMax, atLeastOne)
    if (plan.extents.length === 0) return plan.slice()
    if (!plan.isLong) return this.#fillSync(plan)
    const slice = this.#fill(plan)
    if (from === this.#end) this.#readAhead(plan.nextOffset, limit, lengthMax)
    this.#end = plan.nextOffset
    return slice
  }

  /** The one batch that holds `from`, which ends at or before `limit`, whatever the disk takes for it. */
  readBatchSync(from: number, limit: number): Slice {
    return this.#fillSync(this.#planned(from, limit, 0, true))
  }

  /** Reads what whoever has read up to `from` will ask for, if it is much and lies on the disk. */
  #readAhead(from: number, limit: number, lengthMax: number): void {
    this.#end = from
    let plan: Plan
    try {
      plan = this.#planned(from, limit, lengthMax, false)
    } catch {
      // Whoever asks for it will be told.
      return
    }
    const { nextOffset, length } = plan
    if (!plan.isLong || !this.#ahead.hasRoom(length)) return plan.release()
    this.#ahead.keep(this, { from, nextOffset, length, slice: this.#fill(plan) })
  }

  /** What there is to read from `from` on, held until it is released; nothing at the limit. */
  #planned(from: number, limit: number, lengthMax: number, atLeastOne: boolean): Plan {
    const plan = new Plan(from)
    try {
      if (from < limit) this.#plan(plan, from, limit, lengthMax, atLeastOne)
      return plan
    } catch (error) {
      plan.release()
      return this.refuse(error)
    }
  }

  #plan(plan: Plan, from: number, limit: number, lengthMax: number, atLeastOne: boolean): void {
    const { runs } = this.#state
    const first = this.#findRun(from)
    for (let which = first; which < runs.length; which++) {
      const run = runs[which]!
      const { memory } = run.segment
      if (run.ordinals) this.#rows.forget()
      for (let index = which === first ? this.#rows.find(run, from) : 0; index < run.rowCount; index++) {
        const row = this.#rows.row(run, index)
        if (row.nextOffset > limit) return
        const { length } = row
        if (plan.length + length > lengthMax && !(plan.length === 0 && atLeastOne)) return
        const ordinal = run.ordinals?.[index]
        const region = ordinal === undefined ? undefined : memory!.region(ordinal)
        if (region) plan.addHot(memory!.batch(ordinal!, length), region, row)
        else plan.addCold(run.segment, row)
      }
    }
    if (plan.length === 0) throw this.#damaged(`no batch at offset ${from}, below ${limit}`)
  }

  /** The last run that begins at or before `offset`; the first where none does. */
  #findRun(offset: number): number {
    const { runs } = this.#state
    let low = 0
    let high = runs.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (runs[middle]!.baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  #fillSync(plan: Plan): Slice {
    try {
      for (const extent of plan.extents) {
        const region = plan.take(this.#slabs, extent)
        this.#check(extent, region, extent.segment.file.readSync(extent.position, region.bytes), plan)
      }
    } catch (error) {
      plan.release()
      this.refuse(error)
    }
    return plan.slice()
  }

  async #fill(plan: Plan): Promise<Slice> {
    const reads = plan.extents.map(async extent => {
      const { segment, position } = extent
      const region = plan.take(this.#slabs, extent)
      segment.retain()
      try {
        this.#check(extent, region, await segment.file.read(position, region.bytes), plan)
      } finally {
        await segment.release()
      }
    })
    // All of them have to end before their memory can be given back.
    const failed = (await Promise.allSettled(reads)).find(read => read.status === 'rejected')
    if (!failed) return plan.slice()
    plan.release()
    return this.refuse(failed.reason)
  }

  /** Holds what was read against its rows and puts it in its place. */
  #check({ segment, position, batches }: Extent, region: Region, length: number, plan: Plan): void {
    const bytes = region.bytes.subarray(0, length)
    for (const cold of batches) {
      const at = cold.position - position
      if (!agrees(cold.row, 0, bytes, at) || !new Batch(bytes, at).isSound) {
        throw this.#damaged(`${segment.logName}: not the batch that was written at ${cold.position}`)
      }
      plan.pieces[cold.piece] = bytes.subarray(at, at + cold.length)
    }
  }

  /** Throws what a read has met; what the disk says of it is KAFKA_STORAGE_ERROR, and logged. */
  refuse(error: unknown): never {
    if (error instanceof KafkaError || error instanceof AssertionError) throw error
    throw this.#damaged((error as Error).message)
  }

  #damaged(reason: string): KafkaError {
    const { partition } = this.#state
    this.#logger.error({ partition, reason }, 'a synced batch cannot be read')
    return new KafkaError('KAFKA_STORAGE_ERROR', reason)
  }
}

/** What one read gathers: pieces that are there, and extents that give the missing ones. */
class Plan {
  readonly pieces: Buffer[] = []
  readonly extents: Extent[] = []
  length = 0
  nextOffset: number
  #coldLength = 0
  readonly #holds: Region[] = []

  constructor(from: number) {
    this.nextOffset = from
  }

  /** It takes the disk too long to wait for it. */
  get isLong(): boolean {
    return this.#coldLength > readSyncLengthMax
  }

  addHot(batch: Buffer, hold: Region, row: RowView): void {
    this.#holds.push(hold.retain())
    this.#add(batch, row)
  }

  addCold(segment: Segment, row: RowView): void {
    const { position, length, bytes, at } = row
    const end = position + length
    const cold = {
      piece: this.pieces.length,
      position,
      length,
      row: Buffer.from(bytes.subarray(at, at + rowLength)),
    }
    const last = this.extents.at(-1)
    const isNear =
      last?.segment === segment &&
      position - last.end <= gapLengthMax &&
      end - last.position <= extentLengthMax
    if (isNear) {
      last.end = end
      last.batches.push(cold)
    } else {
      this.extents.push({ segment, position, end, batches: [cold] })
    }
    this.#coldLength += length
    this.#add(notRead, row)
  }

  #add(piece: Buffer, row: RowView): void {
    this.pieces.push(piece)
    this.length += row.length
    this.nextOffset = row.nextOffset
  }

  /** Memory for an extent, held until the slice is released. */
  take(slabs: Slabs, { position, end }: Extent): Region {
    const region = slabs.take(end - position)
    this.#holds.push(region)
    return region
  }

  release(): void {
    for (const hold of this.#holds.splice(0)) hold.release()
  }

  slice(): Slice {
    const { pieces, length } = this
    return {
      pieces: joinAdjacent(pieces),
      length,
      nextOffset: BigInt(this.nextOffset),
      release: () => this.release(),
    }
  }
}

const notRead = Buffer.alloc(0)
