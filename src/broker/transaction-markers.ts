import type { TransactionEnd } from '../storage/partition-log.ts'
import type { Catalog } from './catalog.ts'
import { offsetsTopicName } from './internal-topics.ts'
import { findPartition, findTopic, noTopicId } from './partitions.ts'

/** Who is to end transactions in `__consumer_offsets`, since offsets count or are dropped by that: the group coordinator. */
export interface OffsetsMarkers {
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
   * Appends a marker at once; resolves when it is on disk. Rejects with UNKNOWN_TOPIC_OR_PARTITION, as `PartitionLog.endTransaction`
   * throws, and as a coordinator does.
   */
  async write(topic: string, partition: number, end: TransactionEnd): Promise<void> {
    // What is to be ended may wait for its topic to be made, and then so does its end.
    const isAwaited = topic === offsetsTopicName && !this.#catalog.topic(topic)
    if (isAwaited) await this.#offsets.endTransaction(partition, end)
    const log = findPartition(findTopic(this.#catalog, { name: topic, topicId: noTopicId }), partition)
    if (isAwaited) return
    if (topic === offsetsTopicName) await this.#offsets.endTransaction(partition, end)
    else await log.endTransaction(end).committed
  }
}
