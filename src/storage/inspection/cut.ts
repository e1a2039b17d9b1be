import type { Disk } from '../../base/disk.ts'
import { shardsOnDisk } from '../data-directory.ts'
import { StorageRestoreError } from '../errors.ts'
import { beginning } from '../walk.ts'
import { rowsOf } from './entries.ts'
import { HoleFinder, missedUntil, wasAlive, type Hole } from './holes.ts'
import { nameOf, type PartitionHistory } from './partition-life.ts'
import { ShardAtRest } from './shard-at-rest.ts'

/** A point in the past: the LSN of the last entry, or a commit time in milliseconds since 1970. */
export type Point = { readonly lsn: number } | { readonly time: number }

/** A consistent cut over all shards. */
export interface Cut {
  /** The last LSN in it. */
  readonly lsn: number
  /** How things were before this LSN cannot be told. */
  readonly horizonLsn: number
}

interface Survey {
  readonly shard: number
  readonly newestLsn: number
  /** What is broken behind `newestLsn`. */
  readonly damage: string | undefined
  readonly holes: readonly Hole[]
  /** Around the time that was asked for: the last LSN of the last block then, and the first of the block that came next. */
  readonly lsnThen: number
  readonly lsnNext: number
  /** Segments were rewritten since, and how things were before this LSN cannot be told. */
  readonly horizonLsn: number
}

/**
 * The cut that a point names; for a time the lowest one, so that nothing is in it that was committed later. Rejects with StorageRestoreError where what was alive then is no longer there, or nothing is there yet.
 */
export async function resolveCut(disk: Disk, point: Point, history: PartitionHistory): Promise<Cut> {
  const time = 'time' in point ? point.time : Infinity
  const surveys: Survey[] = []
  for (const shard of await shardsOnDisk(disk)) surveys.push(await survey(disk, shard, time, history))
  const newestLsn = Math.max(0, ...surveys.map(each => each.newestLsn))
  const lsn = 'lsn' in point ? point.lsn : lsnAt(surveys)
  if (lsn < 1) throw new StorageRestoreError('nothing had been committed at that time')
  const broken = surveys.find(each => each.damage !== undefined && lsn > each.newestLsn)
  if (broken) {
    throw new StorageRestoreError(
      `${broken.damage}; what can be brought back ends at LSN ${broken.newestLsn}`,
    )
  }
  if (lsn > newestLsn) {
    throw new StorageRestoreError(`LSN ${lsn} is newer than the last one that is there, ${newestLsn}`)
  }
  // A horizon may count what was accepted at that time, and never came to the disk.
  const horizonLsn = Math.min(newestLsn, Math.max(0, ...surveys.map(each => each.horizonLsn)))
  if (lsn < horizonLsn) {
    throw new StorageRestoreError(
      `LSN ${lsn} is older than what can be brought back: the log was rewritten since; the horizon is LSN ${horizonLsn}`,
    )
  }
  const holes = surveys.flatMap(each => each.holes)
  const missed = holes.find(hole => wasAlive(hole, history, lsn))
  if (missed) throw new StorageRestoreError(sayMissed(lsn, missed, holes, history))
  return { lsn, horizonLsn: holes.length > 0 ? lsn : horizonLsn }
}

function lsnAt(surveys: readonly Survey[]): number {
  const lsnThen = Math.max(0, ...surveys.map(each => each.lsnThen))
  return Math.min(lsnThen, ...surveys.map(each => each.lsnNext - 1))
}

function sayMissed(lsn: number, missed: Hole, holes: readonly Hole[], history: PartitionHistory): string {
  const name = nameOf(history.life(missed.partition)!)
  const { fromOffset, toOffset } = missed
  const offsets = toOffset < Infinity ? `offsets ${fromOffset} to ${toOffset - 1}` : `what it held then`
  const horizon = horizonFrom(lsn, holes, history)
  const advice = horizon < Infinity ? `the horizon is LSN ${horizon}` : 'no later point has them either'
  return `LSN ${lsn} is older than what can be brought back: ${name} has lost ${offsets} since; ${advice}`
}

/** The first LSN from this one on at which nothing is missed. */
function horizonFrom(lsn: number, holes: readonly Hole[], history: PartitionHistory): number {
  let horizon = lsn
  for (;;) {
    const missed = holes.filter(hole => wasAlive(hole, history, horizon))
    if (missed.length === 0 || horizon === Infinity) return horizon
    horizon = Math.max(...missed.map(hole => missedUntil(hole, history)))
  }
}

async function survey(disk: Disk, id: number, time: number, history: PartitionHistory): Promise<Survey> {
  const shard = await ShardAtRest.open(disk, id)
  const holes = new HoleFinder()
  let tail = beginning
  let lsnThen = 0
  let lsnNext = Infinity
  let damage: string | undefined
  const pass = (firstLsn: number, lastLsn: number, commitTime: number): void => {
    if (commitTime <= time) lsnThen = lastLsn
    else lsnNext = Math.min(lsnNext, firstLsn)
  }
  for await (const part of shard.segments()) {
    const { lsn } = tail
    let isFirst = true
    await part.walk(block => {
      const { firstLsn, lastLsn, commitTime } = block.header
      if (isFirst && part.isBehindGap) holes.addGap(lsn, firstLsn)
      isFirst = false
      for (const row of rowsOf(block)) holes.addEntry(row)
      pass(firstLsn, lastLsn, commitTime)
    }, Infinity)
    tail = part.end
    damage = await part.damage()
    if (damage !== undefined) break
  }
  const end = shard.endAfter(tail)
  if (damage === undefined && end !== tail) {
    if (!shard.isEmptied(tail.blockNumber + 1, end.blockNumber)) holes.addGap(tail.lsn, end.lsn + 1)
    pass(end.lsn, end.lsn, end.commitTime)
  }
  damage ??= shard.missingBehind(end)
  const [listFault] = shard.listFaults
  const soundLsn = damage === undefined ? end.lsn : tail.lsn
  return {
    shard: id,
    newestLsn: listFault === undefined ? soundLsn : 0,
    damage: listFault ?? damage,
    holes: holes.finish(shard, history),
    lsnThen,
    lsnNext,
    horizonLsn: shard.manifest.horizonLsn,
  }
}
