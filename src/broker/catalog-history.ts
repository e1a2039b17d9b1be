import type { Disk } from '../base/disk.ts'
import { readRecords } from '../protocol/records/record.ts'
import type { Batch } from '../protocol/records/batch.ts'
import { readEntry, rowsOf } from '../storage/inspection/entries.ts'
import { nameOf, type PartitionHistory, type PartitionLife } from '../storage/inspection/partition-life.ts'
import { ShardAtRest } from '../storage/inspection/shard-at-rest.ts'
import { ifReadable } from '../storage/unreadable.ts'
import { catalogPartitionId } from './catalog.ts'
import { readCatalogRecord } from './catalog-records.ts'
import { clusterMetadataTopicName } from './internal-topics.ts'

interface Life extends PartitionLife {
  deletedLsn: number
  readonly logStarts: { lsn: number; offset: number }[]
}

/** What the metadata log has said of partitions, from its first record on. */
export class CatalogHistory implements PartitionHistory {
  readonly #lives = new Map<number, Life>()
  /** By partition. Once the log has been compacted, they may come before the topic that they are of. */
  readonly #logStarts = new Map<number, Life['logStarts']>()
  /** The partitions of each topic that is there, by topic id. */
  readonly #topics = new Map<string, readonly number[]>()

  constructor() {
    this.#begin({
      partition: catalogPartitionId,
      topic: clusterMetadataTopicName,
      index: 0,
      shard: 0,
      createdLsn: 0,
    })
  }

  lives(): Iterable<PartitionLife> {
    return this.#lives.values()
  }

  life(partition: number): PartitionLife | undefined {
    return this.#lives.get(partition)
  }

  /** `TOPIC-N`, also for what has been deleted; `#ID` for a partition that no record names. */
  nameOf(partition: number): string {
    const life = this.#lives.get(partition)
    return life ? nameOf(life) : `#${partition}`
  }

  /** Takes in the next batch of the metadata log. Throws on records that cannot be read. */
  add(batch: Batch, lsn: number): void {
    for (const { key, value } of readRecords(batch)) {
      const statement = readCatalogRecord(key!, value)
      if (statement.type === 'logStart' && statement.value) {
        const offset = Number(statement.value.offset)
        this.#logStartsOf(statement.partitionId).push({ lsn, offset })
      } else if (statement.type === 'topic' && statement.value) {
        const { name, partitions } = statement.value
        for (const [index, { id, shard }] of partitions.entries()) {
          if (this.#lives.has(id)) continue
          this.#begin({ partition: id, topic: name, index, shard, createdLsn: lsn })
        }
        this.#topics.set(
          statement.topicId,
          partitions.map(({ id }) => id),
        )
      } else if (statement.type === 'topic') {
        for (const id of this.#topics.get(statement.topicId) ?? []) this.#lives.get(id)!.deletedLsn = lsn
        this.#topics.delete(statement.topicId)
      }
    }
  }

  #begin(life: Pick<Life, 'partition' | 'topic' | 'index' | 'shard' | 'createdLsn'>): void {
    const logStarts = this.#logStartsOf(life.partition)
    this.#lives.set(life.partition, { ...life, deletedLsn: Infinity, logStarts })
  }

  #logStartsOf(partition: number): Life['logStarts'] {
    let logStarts = this.#logStarts.get(partition)
    if (!logStarts) this.#logStarts.set(partition, (logStarts = []))
    return logStarts
  }
}

/** The history as far as it can be read, and why it cannot be read further. */
export async function readHistory(
  disk: Disk,
): Promise<{ history: CatalogHistory; fault: string | undefined }> {
  const history = new CatalogHistory()
  const shard = await ShardAtRest.open(disk, 0)
  let fault: string | undefined
  for await (const part of shard.segments()) {
    await part.walk(async block => {
      for (const row of rowsOf(block)) {
        if (row.partition !== catalogPartitionId || fault !== undefined) continue
        const { lsn, baseOffset } = row
        const batch = await ifReadable(readEntry(part.segment, block, row))
        fault = addEntry(history, batch, lsn, baseOffset)
      }
    }, Infinity)
  }
  return { history, fault }
}

function addEntry(
  history: CatalogHistory,
  batch: Batch | undefined,
  lsn: number,
  offset: number,
): string | undefined {
  if (!batch) return `the metadata at offset ${offset} cannot be read from the disk`
  if (!batch.isSound) return `the metadata at offset ${offset} has a wrong checksum`
  try {
    history.add(batch, lsn)
    return undefined
  } catch (error) {
    return `the metadata at offset ${offset} cannot be read: ${(error as Error).message}`
  }
}
