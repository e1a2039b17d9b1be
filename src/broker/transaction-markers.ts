import type { PartitionLog, TransactionEnd } from '../storage/partition-log.ts'
import type { Catalog } from './catalog.ts'
import { offsetsTopicName } from './internal-topics.ts'
import { findPartition, findTopic, noTopicId } from './partitions.ts'

/**
 * Told of each marker in a partition of `__consumer_offsets` once it has its place in the log, before anything else is appended:
 * offsets that were committed in the transaction count from there on, or are dropped. `committed` is settled when the marker is.
 */
export type OffsetsMarkerListener = (partition: number, end: TransactionEnd, committed: Promise<void>) => void

/** Ends transactions in partitions, whoever says so: WriteTxnMarkers, or a coordinator of this broker. */
export class TransactionMarkers {
  readonly #catalog: Catalog
  readonly #listeners: OffsetsMarkerListener[] = []

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  onOffsetsMarker(listener: OffsetsMarkerListener): void {
    this.#listeners.push(listener)
  }

  /**
   * Appends a marker at once; resolves when it is on disk. Rejects with UNKNOWN_TOPIC_OR_PARTITION, and as
   * `PartitionLog.endTransaction` throws.
   */
  async write(topic: string, partition: number, end: TransactionEnd): Promise<void> {
    const log: PartitionLog = findPartition(
      findTopic(this.#catalog, { name: topic, topicId: noTopicId }),
      partition,
    )
    const { committed } = log.endTransaction(end)
    if (topic === offsetsTopicName)
      for (const listener of this.#listeners) listener(partition, end, committed)
    await committed
  }
}
