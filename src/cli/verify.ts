import type { Disk } from '../base/disk.ts'
import { readHistory, type CatalogHistory } from '../broker/catalog-history.ts'
import type { Batch } from '../protocol/records/batch.ts'
import { readRecords } from '../protocol/records/record.ts'
import { shardsOnDisk } from '../storage/data-directory.ts'
import { sizeOf } from '../storage/inspection/at-rest.ts'
import { wasAlive } from '../storage/inspection/holes.ts'
import { endOfTime, isThereAt, logStartAt } from '../storage/inspection/partition-life.ts'
import { ShardAtRest } from '../storage/inspection/shard-at-rest.ts'
import { verifyShard, type Finding, type Verified } from '../storage/inspection/verification.ts'
import { readRecord as readTransactionRecord } from '../transactions/records.ts'
import type { Output } from './output.ts'
import { ownReader, type OwnReader } from './own-records.ts'
import type { Progress } from './progress.ts'

/** What a data directory's verification has found. */
export interface Verification {
  readonly findings: readonly Finding[]
  readonly shards: readonly Verified[]
}

/** Walks everything in a data directory at rest, and tells `progress` about it. */
export async function verifyDirectory(disk: Disk, progress?: Progress): Promise<Verification> {
  // Once the metadata has been compacted, a topic may be named only after its first entries.
  const { history } = await readHistory(disk)
  const findings: Finding[] = []
  const unsound = (text: string): void => void findings.push({ isUnsound: true, text })
  let producerIdMax = -1n
  const readTransaction = (key: Buffer, value: Buffer | null): void => {
    const { producerId = -1n, nextProducerId = -1n } = readTransactionRecord(key, value)?.facts ?? {}
    for (const id of [producerId, nextProducerId]) if (id > producerIdMax) producerIdMax = id
  }
  const check = recordCheck(history, readTransaction, unsound)
  const verified = new Map<number, Verified>()
  const shards: ShardAtRest[] = []
  for (const id of await shardsOnDisk(disk)) {
    const shard = await ShardAtRest.open(disk, id)
    shards.push(shard)
    progress?.expect(await shard.sizeInBytes())
  }
  for (const shard of shards.sort((a, b) => a.id - b.id)) {
    const each = await verifyShard({
      shard,
      nameOf: partition => history.nameOf(partition),
      inspect: (batch, row) => check(batch, row.partition),
      advance: length => progress?.advance(length),
    })
    findings.push(...each.findings)
    verified.set(shard.id, each)
  }
  progress?.end()
  for (const shard of shards) {
    const { holes, bookmarkFaults } = verified.get(shard.id)!
    for (const hole of holes.finish(shard, history)) {
      if (!wasAlive(hole, history, endOfTime)) continue
      const { fromOffset, toOffset, partition } = hole
      unsound(`${history.nameOf(partition)}: offsets ${fromOffset} to ${toOffset - 1} are not there`)
    }
    for (const { partition, text, logStart, isCertain } of bookmarkFaults) {
      const life = history.life(partition)
      const isThere = life && isThereAt(life, endOfTime) && logStartAt(life, endOfTime) <= logStart
      if (isCertain || isThere) unsound(text)
    }
  }
  const startCount = await sizeOf(disk, 'start-count')
  const blockEpoch = Math.max(0, ...[...verified.values()].map(each => each.blockEpoch))
  if (startCount < blockEpoch)
    unsound(`start-count stands at ${startCount}, and start ${blockEpoch} has written blocks`)
  const producerIdNext = producerIdMax < 0n ? 0 : await sizeOf(disk, 'producer-ids')
  if (producerIdMax >= producerIdNext)
    unsound(`producer-ids stands at ${producerIdNext}, and producer id ${producerIdMax} is in use`)
  return { findings, shards: [...verified.values()] }
}

/** Decodes what the broker itself must be able to read: the metadata, and what groups, transactions and share groups have done. */
function recordCheck(
  history: CatalogHistory,
  readTransaction: OwnReader,
  unsound: (text: string) => void,
): (batch: Batch, partition: number) => void {
  return (batch, partition) => {
    const read = ownReader(partition, history, readTransaction)
    // What ends a transaction is no record of the topic's.
    if (!read || batch.isControl) return
    try {
      for (const { key, value } of readRecords(batch)) {
        if (key === null) throw new Error('it has no key')
        read(key, value)
      }
    } catch (error) {
      const name = history.nameOf(partition)
      unsound(
        `${name}: a record from offset ${batch.baseOffset} on cannot be read: ${(error as Error).message}`,
      )
    }
  }
}

/** Says what was found, a line each, and a summary; true where everything is sound. */
export async function printVerification(
  { findings, shards }: Verification,
  output: Output,
): Promise<boolean> {
  for (const { isUnsound, text } of findings) await output.line(`${isUnsound ? 'unsound' : 'note'}: ${text}`)
  const sum = (count: (shard: Verified) => number): number =>
    shards.reduce((total, shard) => total + count(shard), 0)
  const unsoundCount = findings.filter(({ isUnsound }) => isUnsound).length
  const facts = [
    counted(shards.length, 'shard'),
    counted(
      sum(shard => shard.segmentCount),
      'segment',
    ),
    counted(
      sum(shard => shard.blockCount),
      'block',
    ),
    counted(
      sum(shard => shard.entryCount),
      'batch',
      'batches',
    ),
    `LSN ${Math.max(0, ...shards.map(shard => shard.lsn))}`,
  ].join(', ')
  const verdict = unsoundCount === 0 ? 'sound' : `${counted(unsoundCount, 'thing')} unsound`
  await output.line(`${verdict}: ${facts}`)
  return unsoundCount === 0
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
