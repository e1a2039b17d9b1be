import type { Region, Slabs } from '../base/slabs.ts'
import { BatchBuilder, spreadMax } from './batch-builder.ts'
import { Page } from './page.ts'
import { PartitionRecords } from './partition-records.ts'
import type { VlsnTopic } from './vlsn-topic.ts'

/** A batch of the view: the VLSNs that it stands for, from `from` to before `to`, and its bytes, held by whoever was given it. */
export interface BuiltBatch {
  readonly from: bigint
  readonly to: bigint
  readonly region: Region
}

/** Bytes at which a batch is full: at first, and what they grow to while a reader goes on. */
const lengthFullMin = 16 * 1024
const lengthFullMax = 256 * 1024
/** What a reader who goes on has its batches written to. */
const pageLength = 2 * 1024 * 1024
/** Bytes to read at once of all partitions, against those of a full batch; and of one partition. */
const readPerFull = 16
const readLengthMax = 256 * 1024

/** Something has to be read first; it went past a hole, or into another era; it went to the end. */
type Outcome = 'short' | 'moved' | 'done'

/** A reader of all partitions that goes from VLSN to VLSN. It holds memory of the log until `release`. */
export class Merge {
  readonly #topic: VlsnTopic
  readonly #slabs: Slabs
  /** By the number of the partition; at first only of those that were needed. */
  readonly #records: PartitionRecords[] = []
  /** Nobody knows yet whether the reader wants more than one record. */
  #isFirst = true
  #lengthFull = lengthFullMin
  #page: Page | undefined
  /** What is built next begins here. */
  next: bigint

  constructor(topic: VlsnTopic, slabs: Slabs, from: bigint) {
    this.#topic = topic
    this.#slabs = slabs
    this.next = from
  }

  /** Bytes of the log that are held. */
  get lengthHeld(): number {
    return this.#records.reduce((sum, { lengthHeld }) => sum + lengthHeld, 0)
  }

  /**
   * One batch of the records below `end`, of at most `lengthMax` bytes, or of one record where `atLeastOne`; undefined where there is
   * none. The first one has only what one read of one partition brings. Rejects as `PartitionLog.read` does.
   */
  async build(end: bigint, lengthMax: number, atLeastOne: boolean): Promise<BuiltBatch | undefined> {
    const from = this.next
    const lengthFull = Math.min(this.#lengthFull, lengthMax)
    const batch = new BatchBuilder(this.#pageFor(lengthFull), {
      slabs: this.#slabs,
      leaderEpoch: this.#topic.view.leaderEpoch,
      lengthMax: lengthFull,
      atLeastOne,
    })
    try {
      for (let outcome = this.#add(batch, end); outcome !== 'done'; outcome = this.#add(batch, end)) {
        if (outcome === 'moved') continue
        if (this.#isFirst && batch.recordCount > 0) break
        await this.#load()
      }
      this.next = batch.recordCount === 0 ? from : batch.last + 1n
      if (batch.recordCount === 0) return undefined
      const region = batch.finish()
      if (this.#isFirst) this.#releasePage()
      else this.#lengthFull = Math.min(4 * this.#lengthFull, lengthFullMax)
      this.#isFirst = false
      return { from, to: this.next, region }
    } finally {
      batch.release()
    }
  }

  /** Where a batch of so many bytes is written. */
  #pageFor(length: number): Page {
    const partitionCount = this.#isFirst ? 0 : this.#topic.partitions.length
    const page = this.#page
    if (page && page.lengthLeft >= length && page.partitionCount === partitionCount) return page
    this.#releasePage()
    const options = { slabs: this.#slabs, length: this.#isFirst ? length : pageLength, partitionCount }
    return (this.#page = new Page(options))
  }

  #releasePage(): void {
    this.#page?.release()
    this.#page = undefined
  }

  /**
   * Adds the records from `next` to before `end` that are in RAM, and moves `next` on: until something has to be read, past a hole,
   * or as far as the batch goes. VLSNs are told by how far they are from where it begins: a bigint for each would cost too much.
   */
  #add(batch: BatchBuilder, end: bigint): Outcome {
    const origin = this.next
    const { partitionCount, end: turnEnd = end } = this.#topic.eras.turnAt(origin)
    const until = Number((turnEnd < end ? turnEnd : end) - origin)
    const reach = batch.reach(origin)
    const limit = Math.min(until, spreadMax + 1 - reach)
    const high = Number(origin >> 32n)
    const low = Number(origin & 0xffff_ffffn)
    let number = Number(origin % BigInt(partitionCount))
    let at = 0
    let isThere = true
    for (; at < limit; at++) {
      const records = this.#records[number] ?? this.#recordsOf(number)
      let distance = -1
      while (records.isThere) {
        distance = (records.high - high) * 2 ** 32 + (records.low - low)
        if (distance >= at) break
        records.next()
      }
      isThere = records.isThere && distance === at
      if (!isThere) break
      if (!batch.add(number, reach + at, records)) return 'done'
      records.next()
      if (++number === partitionCount) number = 0
    }
    this.next = origin + BigInt(at)
    if (!isThere) return this.#passHole(number, end)
    return at === until && this.next < end ? 'moved' : 'done'
  }

  /** Moves on to the first VLSN that any partition has, where partition `number` does not have the next one. */
  #passHole(number: number, end: bigint): Outcome {
    if (this.#records[number]!.isShort) return 'short'
    const high = Number(this.next >> 32n)
    const low = Number(this.next & 0xffff_ffffn)
    let least: PartitionRecords | undefined
    for (const { number } of this.#topic.partitions) {
      const records = this.#recordsOf(number)
      while (records.isThere && records.isBelow(high, low)) records.next()
      if (records.isShort) return 'short'
      if (records.isThere && (!least || records.isBelow(least.high, least.low))) least = records
    }
    const next = least?.vlsn
    if (next === undefined || next >= end) return 'done'
    this.next = next
    return 'moved'
  }

  #recordsOf(number: number): PartitionRecords {
    let records = this.#records[number]
    if (!records) {
      const partition = this.#topic.partitions[number]!
      const place = partition.index.firstFrom(this.next)
      records = new PartitionRecords(partition, place?.offset ?? partition.stableOffset)
      this.#records[number] = records
    }
    return records
  }

  /** Reads where something has to be read, and where it soon has to: of all partitions at once, since that takes as long as one. */
  async #load(): Promise<void> {
    const { partitions } = this.#topic
    if (!this.#isFirst) for (const { number } of partitions) this.#recordsOf(number)
    const share = this.#isFirst ? 0 : (2 * this.#lengthFull) / partitions.length
    const lengthMax = this.#isFirst
      ? 0
      : Math.min(readLengthMax, (readPerFull * this.#lengthFull) / partitions.length)
    const short = this.#records.filter(
      records => records.isShort || (records.lengthLeft < share && records.hasMore),
    )
    const loaded = await Promise.allSettled(short.map(records => records.load(lengthMax)))
    for (const each of loaded) if (each.status === 'rejected') throw each.reason
  }

  release(): void {
    this.#releasePage()
    for (const { number } of this.#topic.partitions) this.#records[number]?.release()
  }
}
