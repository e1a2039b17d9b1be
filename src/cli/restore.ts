import type { Disk } from '../base/disk.ts'
import { readHistory } from '../broker/catalog-history.ts'
import { ConfigError } from '../broker/configs/definition.ts'
import { ObeliskSequencer } from '../sequencers/obelisk.ts'
import { markFormat, markUnfinished, shardsOnDisk } from '../storage/data-directory.ts'
import { StorageRestoreError } from '../storage/errors.ts'
import { sizeOf } from '../storage/inspection/at-rest.ts'
import { resolveCut, type Point } from '../storage/inspection/cut.ts'
import { isThereAt, logStartAt } from '../storage/inspection/partition-life.ts'
import { restoreShard } from '../storage/inspection/restoration.ts'
import { ShardAtRest } from '../storage/inspection/shard-at-rest.ts'

/** What a restore has made. */
export interface Restore {
  /** Everything up to this LSN is there. */
  readonly lsn: number
  readonly blockCount: number
  readonly entryCount: number
  readonly sizeInBytes: number
}

/** Counters of the directory that never go back, so that what was given out since the point is not given out again. */
const counters = ['start-count', 'producer-ids']

/**
 * Makes a data directory as the one at rest in `source` was at a point. A broker refuses `target` until it is whole and synced.
 * Rejects with StorageRestoreError, with nothing written where the point cannot be had, and with the disks' errors.
 */
export async function restoreDirectory(
  source: Disk,
  target: Disk,
  { point, strideRecords }: { point: Point; strideRecords: number },
): Promise<Restore> {
  if ((await target.list('')).length > 0)
    throw new StorageRestoreError('the directory to restore to is not empty')
  const { history, fault } = await readHistory(source)
  if (fault !== undefined) throw new StorageRestoreError(`${fault}; odradek verify says more`)
  const { lsn, horizonLsn } = await resolveCut(source, point, history)
  const logStartOf = (partition: number): number | undefined => {
    const life = history.life(partition)
    return life && isThereAt(life, lsn) ? logStartAt(life, lsn) : undefined
  }

  const unlock = await target.lock()
  try {
    await markUnfinished(target)
    const restored = []
    for (const id of await shardsOnDisk(source)) {
      const shard = await ShardAtRest.open(source, id)
      restored.push(await restoreShard({ source: shard, target, lsn, horizonLsn, strideRecords, logStartOf }))
    }
    for (const name of counters) await copyCounter(source, target, name)
    await markFormat(target)
    return {
      lsn,
      blockCount: restored.reduce((sum, each) => sum + each.blockCount, 0),
      entryCount: restored.reduce((sum, each) => sum + each.entryCount, 0),
      sizeInBytes: restored.reduce((sum, each) => sum + each.sizeInBytes, 0),
    }
  } finally {
    await unlock()
  }
}

async function copyCounter(source: Disk, target: Disk, name: string): Promise<void> {
  const counter = await ObeliskSequencer.open(target, name)
  await counter.reserve(await sizeOf(source, name))
  await counter.close()
}

/** The point that the flags name. Throws ConfigError where they name none, or two. */
export function pointOf({ toLsn, toTime }: { toLsn?: string; toTime?: string }): Point {
  if ((toLsn === undefined) === (toTime === undefined)) {
    throw new ConfigError('restore needs one of --to-lsn and --to-time')
  }
  if (toLsn !== undefined) {
    const lsn = Number(toLsn)
    if (!/^\d+$/.test(toLsn) || lsn < 1 || !Number.isSafeInteger(lsn)) {
      throw new ConfigError(`--to-lsn ${toLsn}: an LSN is a whole number from 1 on`)
    }
    return { lsn }
  }
  const time = /^\d+$/.test(toTime!) ? Number(toTime) : isoTime.test(toTime!) ? Date.parse(toTime!) : NaN
  if (!Number.isSafeInteger(time)) {
    throw new ConfigError(
      `--to-time ${toTime}: a time is ISO 8601 with its zone, as 2026-08-01T12:00:00Z, or milliseconds since 1970`,
    )
  }
  return { time }
}

// Without a zone it would mean another time on another machine.
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/
