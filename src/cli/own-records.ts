import type { CatalogHistory } from '../broker/catalog-history.ts'
import { readCatalogRecord } from '../broker/catalog-records.ts'
import { catalogPartitionId } from '../broker/catalog.ts'
import { offsetsTopicName, shareStateTopicName, transactionsTopicName } from '../broker/internal-topics.ts'
import { readRecord } from '../groups/records.ts'
import { readShareStateRecord } from '../groups/share/state/records.ts'

/** Decodes a record of the broker's own; throws where it cannot be. */
export type OwnReader = (key: Buffer, value: Buffer | null) => unknown

/**
 * What decodes the records of a partition that the broker itself must be able to read: `readTransaction` those of `__transaction_state`.
 * Undefined for the topics of others.
 */
export function ownReader(
  partition: number,
  history: CatalogHistory,
  readTransaction: OwnReader,
): OwnReader | undefined {
  if (partition === catalogPartitionId) return readCatalogRecord
  switch (history.life(partition)?.topic) {
    case offsetsTopicName:
      return readRecord
    case transactionsTopicName:
      return readTransaction
    case shareStateTopicName:
      return readShareStateRecord
    default:
      return undefined
  }
}
