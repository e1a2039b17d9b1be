import type { TransactionEnd } from '../storage/partition-log.ts'
import type { Catalog } from './catalog.ts'
import { offsetsTopicName } from './internal-topics.ts'
import { findPartition, findTopic, noTopicId } from './partitions.ts'

/** Who is to end transactions in `__consumer_offsets`, since offsets count or are dropped by that: the group coordinator. */
export interface OffsetsMarkers {
  /** Resolves once nothing that was decided in a partition is under way: its topic is there then, if it was being made. */
  settled(partition: number): Promise<void>
  endTransaction(partition: number, end: TransactionEnd): Promise<void>
}

/** Ends transactions in partitions, whoever says so: WriteTxnMarkers, or the coordinator of this broker. */
export class TransactionMarkers {
  readonly #catalog: Catalog
  readonly #offsets: OffsetsMarkers

  constructor(catalog: Catalog, offsets: OffsetsMarkers) {
    this.#catalog = catalog
    this.#offsets = offsets
  }

  /**
   * Appends a marker, at once where its topic is there; resolves when it is on disk. Rejects with UNKNOWN_TOPIC_OR_PARTITION, as
   * `PartitionLog.endTransaction` throws, and as a coordinator does.
   */
  async write(topic: string, partition: number, end: TransactionEnd): Promise<void> {
    // What is to be ended may wait for its topic to be made, and its log has to judge the end before it is decided.
    if (topic === offsetsTopicName && !this.#catalog.topic(topic)) await this.#offsets.settled(partition)
    const log = findPartition(findTopic(this.#catalog, { name: topic, topicId: noTopicId }), partition)
    if (topic === offsetsTopicName) await this.#offsets.endTransaction(partition, end)
    else await log.endTransaction(end).committed
  }
}
