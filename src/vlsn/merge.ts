import { BatchBuilder } from './batch-builder.ts'
import { PartitionRecords } from './partition-records.ts'
import type { VlsnTopic } from './vlsn-topic.ts'

/** A batch of the view: the VLSNs that it stands for, from `from` to before `to`, and its bytes. */
export interface BuiltBatch {
  readonly from: bigint
  readonly to: bigint
  readonly bytes: Buffer
}

/** Bytes at which a batch is full. */
const lengthFull = 128 * 1024
/** Bytes that are read of one partition at once, at least and at most. */
const readLengthMin = 16 * 1024
const readLengthMax = 256 * 1024

/** A reader of all partitions that goes from VLSN to VLSN. */
export class Merge {
  readonly #topic: VlsnTopic
  readonly #records: PartitionRecords[] = []
  /** What is built next begins here. */
  next: bigint

  constructor(topic: VlsnTopic, from: bigint) {
    this.#topic = topic
    this.next = from
  }

  /**
   * One batch of the records below `end`, the first of them whatever its length; undefined where there is none. Rejects as
   * `PartitionLog.read` does.
   */
  async build(end: bigint): Promise<BuiltBatch | undefined> {
    const { eras, view } = this.#topic
    const from = this.next
    const batch = new BatchBuilder(view.leaderEpoch, lengthFull)
    let vlsn = from
    while (vlsn < end && batch.length < lengthFull) {
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
    let records = this.#records[number]
    if (records) return records
    const { partitions } = this.#topic
    const partition = partitions[number]!
    const lengthMax = Math.max(Math.floor((2 * lengthFull) / partitions.length), readLengthMin)
    const place = partition.index.firstFrom(this.next)
    const offset = place?.offset ?? partition.stableOffset
    records = new PartitionRecords(partition, offset, Math.min(lengthMax, readLengthMax))
    this.#records[number] = records
    return records
  }
}
