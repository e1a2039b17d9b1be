import { BatchBuilder } from './batch-builder.ts'
import { PartitionRecords } from './partition-records.ts'
import type { VlsnTopic } from './vlsn-topic.ts'

/** A batch of the view: the VLSNs that it stands for, from `from` to before `to`, and its bytes. */
export interface BuiltBatch {
  readonly from: bigint
  readonly to: bigint
  readonly bytes: Buffer
}

/** Bytes at which a batch is full: a reader's first one, who may want no more, and what they grow to. */
const lengthFullMin = 4 * 1024
const lengthFullMax = 128 * 1024
/** Room for the record that fills a batch. */
const lengthSlack = 8 * 1024

/** A reader of all partitions that goes from VLSN to VLSN. */
export class Merge {
  readonly #topic: VlsnTopic
  readonly #records: PartitionRecords[] = []
  /** What is built next begins here. */
  next: bigint
  #lengthFull = lengthFullMin

  constructor(topic: VlsnTopic, from: bigint) {
    this.#topic = topic
    this.next = from
  }

  /**
   * One batch of the records below `end`, of some `lengthMax` bytes and at least the first of them; undefined where there is none.
   * Rejects as `PartitionLog.read` does.
   */
  async build(end: bigint, lengthMax: number): Promise<BuiltBatch | undefined> {
    const { eras, view } = this.#topic
    const from = this.next
    const lengthFull = Math.min(this.#lengthFull, lengthMax)
    this.#lengthFull = Math.min(4 * this.#lengthFull, lengthFullMax)
    const batch = new BatchBuilder(view.leaderEpoch, lengthFull + lengthSlack)
    let vlsn = from
    while (vlsn < end && (batch.length < lengthFull || batch.recordCount === 0)) {
      const records = this.#recordsOf(eras.partitionOf(vlsn))
      if (records.vlsn === undefined || records.vlsn < vlsn) await records.seek(vlsn)
      if (records.vlsn !== vlsn) {
        vlsn = await this.#nextFrom(vlsn, end)
        continue
      }
      if (!batch.add(records)) break
      records.next()
      vlsn++
      this.next = vlsn
    }
    if (batch.recordCount === 0) return undefined
    return { from, to: this.next, bytes: batch.finish() }
  }

  /** The first VLSN from `vlsn` on that some partition has; `end` where that is none below it. */
  async #nextFrom(vlsn: bigint, end: bigint): Promise<bigint> {
    let next = end
    for (const { number } of this.#topic.partitions) {
      const records = this.#recordsOf(number)
      await records.seek(vlsn)
      if (records.vlsn !== undefined && records.vlsn < next) next = records.vlsn
    }
    return next
  }

  #recordsOf(number: number): PartitionRecords {
    const { partitions } = this.#topic
    const lengthMax = Math.ceil((2 * this.#lengthFull) / partitions.length)
    let records = this.#records[number]
    if (records) {
      records.lengthMax = lengthMax
      return records
    }
    const partition = partitions[number]!
    const place = partition.index.firstFrom(this.next)
    const offset = place?.offset ?? partition.stableOffset
    records = new PartitionRecords(partition, offset, lengthMax)
    this.#records[number] = records
    return records
  }
}
