import type { Disk } from '../base/disk.ts'
import { readHistory, type CatalogHistory } from '../broker/catalog-history.ts'
import { attribute, codecs, type Batch } from '../protocol/records/batch.ts'
import { readRecords, type Record } from '../protocol/records/record.ts'
import { readAnchorSlots } from '../storage/anchor.ts'
import { shardsOnDisk } from '../storage/data-directory.ts'
import { readTable, tableLineLength, tablePosition } from '../storage/footer.ts'
import { sizeOf } from '../storage/inspection/at-rest.ts'
import { bodyPosition, readEntry, rowsOf } from '../storage/inspection/entries.ts'
import { nameOf } from '../storage/inspection/partition-life.ts'
import { ShardAtRest, type SegmentAtRest } from '../storage/inspection/shard-at-rest.ts'
import { StorageNameError } from '../storage/errors.ts'
import { agrees, type RowView } from '../storage/row.ts'
import { readIndex } from '../storage/sparse-index.ts'
import { ifReadable } from '../storage/unreadable.ts'
import type { WalkedBlock } from '../storage/walk.ts'
import { readRecord as readTransactionRecord } from '../transactions/records.ts'
import type { DumpWriter } from './dump-lines.ts'
import { ownReader } from './own-records.ts'
import { preview } from './preview.ts'

/** What is to be shown; records are shown below their batches. */
export interface DumpOptions {
  readonly blocks?: boolean | undefined
  readonly batches?: boolean | undefined
  readonly records?: boolean | undefined
  /** Sparse indexes and footers. */
  readonly indexes?: boolean | undefined
  /** Anchors, checkpoints and their bookmarks. */
  readonly anchors?: boolean | undefined
  /** `TOPIC-N`; only what is of this partition. */
  readonly partition?: string | undefined
}

/** Shows what a data directory at rest holds, in the order of its files. Damage is shown where it is met, and passed over. */
export async function dumpDirectory(disk: Disk, options: DumpOptions, writer: DumpWriter): Promise<void> {
  const { history } = await readHistory(disk)
  await new Dump(disk, options, writer, history).run()
}

class Dump {
  readonly #disk: Disk
  readonly #options: DumpOptions
  readonly #writer: DumpWriter
  readonly #history: CatalogHistory
  /** The partitions to show, all where undefined: topics of one name have followed one another. */
  readonly #wanted: ReadonlySet<number> | undefined

  constructor(disk: Disk, options: DumpOptions, writer: DumpWriter, history: CatalogHistory) {
    this.#disk = disk
    this.#writer = writer
    this.#history = history
    const { blocks, batches, records, indexes, anchors, partition } = options
    const isAny = blocks || batches || records || indexes || anchors
    if (isAny) this.#options = { ...options, batches: batches || records }
    else this.#options = { partition, blocks: true, batches: partition !== undefined, anchors: true }
    if (partition === undefined) return
    const lives = [...history.lives()].filter(life => nameOf(life) === partition)
    if (lives.length === 0) throw new StorageNameError(`there is no partition ${partition} here`)
    this.#wanted = new Set(lives.map(life => life.partition))
  }

  async run(): Promise<void> {
    const shards = await shardsOnDisk(this.#disk)
    const startCount = await sizeOf(this.#disk, 'start-count')
    const nextProducerId = await sizeOf(this.#disk, 'producer-ids')
    await this.#writer.write({ type: 'directory', startCount, nextProducerId, shards: shards.length })
    for (const id of shards) {
      const shard = await ShardAtRest.open(this.#disk, id)
      if (this.#options.anchors) await this.#writeBookkeeping(shard)
      const { blocks, batches, indexes } = this.#options
      if (!blocks && !batches && !indexes) continue
      for await (const part of shard.segments()) await this.#writeSegment(shard, part)
    }
  }

  #isWanted(partition: number): boolean {
    return this.#wanted?.has(partition) ?? true
  }

  /** How a partition is called in a line. */
  #place(partitionId: number): { topic: string | null; partition: number | null; partitionId: number } {
    const life = this.#history.life(partitionId)
    return { topic: life?.topic ?? null, partition: life?.index ?? null, partitionId }
  }

  async #writeBookkeeping({ id, anchorBytes, checkpoint }: ShardAtRest): Promise<void> {
    for (const [slot, anchor] of readAnchorSlots(anchorBytes).entries()) {
      if (anchor) await this.#writer.write({ type: 'anchor', shard: id, slot, ...anchor })
    }
    if (!checkpoint) return
    const { head, states } = checkpoint
    await this.#writer.write({ type: 'checkpoint', shard: id, ...head, partitions: states.length })
    for (const { partition, logStart, nextOffset, epochs, producers, transactions } of states) {
      if (!this.#isWanted(partition)) continue
      await this.#writer.write({
        type: 'bookmark',
        ...this.#place(partition),
        logStart,
        nextOffset,
        leaderEpochs: epochs.entries,
        producers: Array.from(
          producers,
          ({ producerId, epoch, lastTimestamp, coordinatorEpoch, batches }) => ({
            producerId,
            epoch,
            lastTimestamp,
            coordinatorEpoch,
            batches,
          }),
        ),
        openTransactions: [...transactions.open()],
        abortedTransactions: transactions.aborted.entries,
      })
    }
  }

  async #writeSegment(shard: ShardAtRest, part: SegmentAtRest): Promise<void> {
    const { segment, trailer, blocksEnd } = part
    const index = (await ifReadable(segment.readIndexFile())) ?? Buffer.alloc(0)
    await this.#writer.write({
      type: 'segment',
      shard: shard.id,
      file: segment.logName,
      firstBlock: segment.firstBlock,
      bytes: segment.file.size,
      blocksEnd,
      indexBytes: index.length,
      isClosed: trailer !== undefined,
    })
    // A batch that is not sound is shown as such, and those behind it too.
    const { tail, broken } = await part.walk(block => this.#writeBlock(part, block), Infinity)
    const file = segment.logName
    if (broken !== undefined) {
      await this.#writer.write({ type: 'broken', file, position: tail.position, reason: broken })
    }
    if (this.#options.indexes) await this.#writeIndexes(part, index)
  }

  async #writeBlock(part: SegmentAtRest, block: WalkedBlock): Promise<void> {
    const { header, position } = block
    const isShown =
      this.#wanted === undefined || [...rowsOf(block)].some(({ partition }) => this.#isWanted(partition))
    if (!isShown) return
    if (this.#options.blocks) {
      await this.#writer.write({ type: 'block', segment: part.segment.firstBlock, position, ...header })
    }
    if (!this.#options.batches) return
    for (const row of rowsOf(block)) {
      if (this.#isWanted(row.partition)) await this.#writeBatch(part, block, row)
    }
  }

  async #writeBatch({ segment }: SegmentAtRest, block: WalkedBlock, row: RowView): Promise<void> {
    const batch = await ifReadable(readEntry(segment, block, row))
    if (!batch) {
      const position = bodyPosition(block) + row.position
      const reason = 'it cannot be read from the disk'
      await this.#writer.write({ type: 'broken', file: segment.logName, position, reason })
      return
    }
    const isSound = agrees(row.bytes, row.at, batch.bytes, 0) && batch.isSound
    await this.#writer.write({
      type: 'batch',
      block: block.header.number,
      ...this.#place(row.partition),
      lsn: row.lsn,
      position: bodyPosition(block) + row.position,
      length: row.length,
      baseOffset: row.baseOffset,
      lastOffset: row.nextOffset - 1,
      recordCount: row.recordCount,
      leaderEpoch: row.leaderEpoch,
      maxTimestamp: row.maxTimestamp,
      producerId: row.producerId,
      producerEpoch: row.producerEpoch,
      baseSequence: row.baseSequence,
      codec: codecs[batch.attributes & attribute.codecMask] ?? null,
      timestampType: batch.timestampType,
      isTransactional: batch.isTransactional,
      isControl: batch.isControl,
      isSound,
    })
    if (!this.#options.records || !isSound) return
    try {
      for (const record of readRecords(batch)) await this.#writeRecord(row.partition, record, batch)
    } catch (error) {
      const position = bodyPosition(block) + row.position
      await this.#writer.write({
        type: 'broken',
        file: segment.logName,
        position,
        reason: (error as Error).message,
      })
    }
  }

  async #writeRecord(partition: number, record: Record, { isControl }: Batch): Promise<void> {
    const { key, value, offset, timestamp, headers } = record
    const says = isControl ? undefined : this.#meaningOf(partition, record)
    await this.#writer.write({
      type: 'record',
      ...this.#place(partition),
      offset,
      timestamp,
      keyLength: key?.length ?? null,
      key: preview(key),
      valueLength: value?.length ?? null,
      value: preview(value),
      headers: headers.map(header => [header.key, preview(header.value)]),
      ...(says === undefined ? {} : { says }),
    })
  }

  /** What a record of the broker's own topics says. */
  #meaningOf(partition: number, { key, value }: Record): unknown {
    if (key === null) return undefined
    return ownReader(partition, this.#history, sayTransaction)?.(key, value)
  }

  async #writeIndexes({ segment, trailer }: SegmentAtRest, index: Buffer): Promise<void> {
    const entries = readIndex(index)
    if (!entries)
      await this.#writer.write({ type: 'broken', file: segment.indexName, position: 0, reason: 'not sound' })
    for (const { partition, ...entry } of entries ?? []) {
      if (!this.#isWanted(partition)) continue
      await this.#writer.write({ type: 'indexEntry', ...this.#place(partition), ...entry })
    }
    if (!trailer) return
    await this.#writer.write({ type: 'footer', segment: segment.firstBlock, ...trailer })
    const tableBytes = Buffer.alloc(trailer.partitionCount * tableLineLength)
    const position = tablePosition(trailer)
    const isRead = (await ifReadable(segment.file.read(position, tableBytes))) !== undefined
    const table = isRead ? readTable(tableBytes, trailer) : undefined
    const file = segment.logName
    if (!table) await this.#writer.write({ type: 'broken', file, position, reason: 'not sound' })
    for (const { partition, ...line } of table ?? []) {
      if (!this.#isWanted(partition)) continue
      await this.#writer.write({ type: 'footerPartition', ...this.#place(partition), ...line })
    }
  }
}

function sayTransaction(key: Buffer, value: Buffer | null): unknown {
  const { transactionalId, facts } = readTransactionRecord(key, value) ?? {}
  if (!facts) return { transactionalId, facts }
  const partitions = Object.fromEntries(
    Array.from(facts.partitions.byTopic(), ([topic, indexes]) => [topic, [...indexes]]),
  )
  return { transactionalId, facts: { ...facts, partitions } }
}
