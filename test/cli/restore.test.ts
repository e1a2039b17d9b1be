import { describe, expect, test } from 'vitest'
import type { Disk } from '../../src/base/disk.ts'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { seededRandom } from '../../src/base/random.ts'
import { pointOf, restoreDirectory } from '../../src/cli/restore.ts'
import { verifyDirectory } from '../../src/cli/verify.ts'
import { audit } from '../../src/storage/audit.ts'
import { StorageRestoreError } from '../../src/storage/errors.ts'
import { atRest } from '../../src/storage/inspection/at-rest.ts'
import type { Point } from '../../src/storage/inspection/cut.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { batchOf, committedIn, openTestStore, readCommitted } from '../storage/support.ts'
import { History, openCatalog, seen, type Seen } from './history.ts'

const strideRecords = 4
const { RESTORE_SEED = '9200', RESTORE_SEED_COUNT = '4' } = process.env
const seeds = Array.from({ length: Number(RESTORE_SEED_COUNT) }, (_, index) => Number(RESTORE_SEED) + index)

async function restore(source: Disk, point: Point, target: Disk = memoryDisk()) {
  return atRest(source, 'source', disk => restoreDirectory(disk, target, { point, strideRecords }))
}

/** What a broker sees that opens the directory, which must be sound. */
async function open(disk: Disk): Promise<Seen> {
  expect((await verifyDirectory(disk)).findings).toEqual([])
  const { store, catalog } = await openCatalog({ disk, strideRecords })
  expect(store.faults).toEqual([])
  const found = await seen(catalog)
  for (const { name, partitions } of catalog.topics()) {
    for (const [index, log] of partitions.entries())
      expect(await readCommitted(log)).toEqual(committedIn(found.get(name)![index]!.bytes))
  }
  expect(await audit(store)).toEqual([])
  await store.close()
  return found
}

describe('a random history', () => {
  test.each(seeds)(
    'is had back at each of its LSNs, or refused where it was removed (seed %i)',
    async seed => {
      const history = new History(seed)
      await history.run(35)
      const { disk, moments } = history
      if (history.random.below(2) === 0) await history.store.close()
      const source = disk.copy()
      const before = new Map([...source.files].map(([name, { live }]) => [name, Buffer.from(live)]))
      let refusedCount = 0
      for (const [lsn, moment] of moments) {
        const target = memoryDisk()
        try {
          expect((await restore(source, { lsn }, target)).lsn).toBe(lsn)
        } catch (error) {
          if (!(error instanceof StorageRestoreError)) throw error
          expect(error.message).toMatch(/^LSN \d+ is older than what can be brought back: /)
          expect(lsn).toBeLessThan(history.lastDeletion)
          expect(await target.list('')).toEqual([])
          refusedCount++
          continue
        }
        expect(await open(target)).toEqual(moment)
      }
      expect(refusedCount).toBeLessThan(moments.size)
      expect(new Map([...source.files].map(([name, { live }]) => [name, live]))).toEqual(before)
    },
  )

  test.each(seeds.slice(0, 2))('is had back whole where no segment is full (seed %i)', async seed => {
    const history = new History(seed, { segmentBytes: 1 << 20 })
    await history.run(35)
    for (const [lsn, moment] of history.moments) {
      const target = memoryDisk()
      await restore(history.disk.copy(), { lsn }, target)
      expect(await open(target)).toEqual(moment)
    }
  })

  test.each(seeds)(
    'is had back from the last upkeep on, where logs are compacted and rewritten (seed %i)',
    async seed => {
      const history = new History(seed, { isKeptUp: true })
      await history.run(40)
      await history.store.close()
      let restoredCount = 0
      for (const [lsn, moment] of history.moments) {
        const target = memoryDisk()
        try {
          await restore(history.disk, { lsn }, target)
        } catch (error) {
          if (!(error instanceof StorageRestoreError)) throw error
          // The horizon moves when segments are removed, which may be some blocks after they died.
          if (lsn >= history.lastDeletion) expect(error.message).toContain('the log was rewritten since')
          continue
        }
        restoredCount++
        expect(await open(target)).toEqual(moment)
      }
      expect(restoredCount).toBeGreaterThan(0)
    },
  )

  test.each(seeds.slice(0, 2))('is had back at the times of its commits (seed %i)', async seed => {
    const history = new History(seed, { segmentBytes: 1 << 20 })
    history.options.shards = 1
    await history.run(40)
    const source = history.disk.copy()
    for (const { time, lsn } of history.times) {
      for (const later of [0, 9]) expect((await restore(source, { time: time + later })).lsn).toBe(lsn)
    }
  })

  test('goes on after it was had back, with later epochs and no number twice', async () => {
    const history = new History(1, { segmentBytes: 1 << 20 })
    await history.run(40)
    await history.store.close()
    const target = new FaultyDisk()
    const lsn = Math.floor(history.lsn / 2)
    await restore(history.disk, { lsn }, target)
    const { store, catalog } = await openCatalog({ disk: target })
    expect(store.startCount).toBe(history.store.startCount + 1)
    const topic = await catalog.create({ name: 'new', partitionCount: 1, configs: new Map() })
    const { partitions } = catalog.topic([...history.moments.get(lsn)!.keys()][0]!)!
    expect(partitions[0]!.leaderEpoch).toBe(store.startCount - partitions[0]!.createdAt)
    expect(history.moments.get(lsn)!.has(topic.name)).toBe(false)
    await store.close()
    expect((await open(target)).has('new')).toBe(true)
    const again = new FaultyDisk()
    await restore(target, { lsn: lsn + 1 }, again)
    expect((await open(again)).has('new')).toBe(true)
  })
})

describe('over two shards', () => {
  test('a time gives the lowest cut: nothing is in it that was committed later', async () => {
    const history = new History(3, { segmentBytes: 1 << 20 })
    history.options.shards = 2
    await history.open()
    await history.catalog.create({ name: 'x', partitionCount: 2, configs: new Map() })
    const { partitions } = history.catalog.topic('x')!
    const source = async (): Promise<FaultyDisk> => {
      await history.store.flushed()
      return history.disk.copy()
    }
    const [first, second] = partitions
    expect(first!.shard).not.toBe(second!.shard)
    await first!.append(batchOf(['one'])).committed
    const { time } = history.clock
    history.clock.time += 10
    await second!.append(batchOf(['two'])).committed
    history.clock.time += 10
    await first!.append(batchOf(['three'])).committed
    const lsns: number[] = []
    for (const later of [0, 10, 20]) lsns.push((await restore(await source(), { time: time + later })).lsn)
    expect(lsns).toEqual([3, 4, 5])
  })
})

describe('refuses with one line', () => {
  const history = new History(2, { segmentBytes: 1 << 20 })
  const ready = history.run(20).then(() => history.disk.copy())

  test.each<[Point, RegExp]>([
    [{ lsn: 1e9 }, /^LSN 1000000000 is newer than the last one that is there, \d+$/],
    [{ time: 1000 }, /^nothing had been committed at that time$/],
  ])('%j', async (point, line) => {
    const target = new FaultyDisk()
    await expect(restore(await ready, point, target)).rejects.toThrow(line)
    expect(target.files.size).toBe(0)
  })

  test('a directory that is not empty', async () => {
    const target = new FaultyDisk()
    target.put('something', Buffer.from('precious'))
    await expect(restore(await ready, { lsn: 2 }, target)).rejects.toThrow(/is not empty/)
    expect(target.names('')).toEqual(['something'])
  })

  test('what is not a data directory', async () => {
    await expect(restore(new FaultyDisk(), { lsn: 1 })).rejects.toThrow(
      /^source is not an odradek data directory/,
    )
  })

  test('a directory that a broker has open', async () => {
    const disk = new FaultyDisk()
    const { store } = await openCatalog({ disk })
    await expect(restore(disk, { lsn: 1 })).rejects.toThrow('locked')
    await store.close()
  })

  test('a point behind a broken block, and not one before it', async () => {
    const source = (await ready).copy()
    const name = source.names('.log')[0]!
    const lsn = history.lsn
    const bytes = source.get(name)
    const at = bytes.lastIndexOf('ODRB') + 90
    bytes[at]! ^= 1
    await expect(restore(source, { lsn })).rejects.toThrow(/is broken at \d+|were synced and are not there/)
    await restore(source, { lsn: 2 })
  })

  test('a point behind a broken segment or under a broken manifest, and not one before the damage', async () => {
    const disk = new FaultyDisk()
    const { store, catalog } = await openCatalog({ disk, segmentBytes: 600, strideRecords })
    const topic = await catalog.create({ name: 'x', partitionCount: 1, configs: new Map() })
    for (let count = 0; count < 12; count++) {
      await topic.partitions[0]!.append(batchOf(['a'.repeat(200)])).committed
    }
    await store.close()
    const damaged = disk.copy()
    for (const name of damaged.names('.log').slice(2)) damaged.get(name)[10]! ^= 1
    const target = memoryDisk()
    await restore(damaged, { lsn: 3 }, target)
    expect((await open(target)).get('x')![0]!.bytes).toHaveLength(batchOf(['a'.repeat(200)]).length)
    await expect(restore(damaged, { lsn: 12 })).rejects.toThrow(
      /is broken at 0, .*; what can be brought back ends at/,
    )
    disk.put('shard-0/manifest', Buffer.from('nothing of the kind'))
    await expect(restore(disk, { lsn: 3 })).rejects.toThrow('shard-0/manifest is not sound')
  })

  test('flags that name no point, two, or none that there is', () => {
    expect(() => pointOf({})).toThrow('restore needs one of --to-lsn and --to-time')
    expect(() => pointOf({ toLsn: '1', toTime: '1' })).toThrow('restore needs one of')
    for (const toLsn of ['0', '-1', 'x', '1.5', '99999999999999999'])
      expect(() => pointOf({ toLsn })).toThrow('--to-lsn')
    for (const toTime of ['noon', '2026-08-01', '2026-08-01T12:00', '2026-13-01T00:00Z'])
      expect(() => pointOf({ toTime })).toThrow('--to-time')
    expect(pointOf({ toLsn: '7' })).toEqual({ lsn: 7 })
    expect(pointOf({ toTime: '1786000000000' })).toEqual({ time: 1786000000000 })
    expect(pointOf({ toTime: '2026-08-01T12:00:00.5+02:00' })).toEqual({
      time: Date.parse('2026-08-01T10:00:00.500Z'),
    })
  })
})

test('what a crash or a failure leaves in the middle is refused by a broker and by restore', async () => {
  const history = new History(4)
  await history.run(25)
  const source = history.disk.copy()
  const random = seededRandom(4)
  let isDone = false
  let brokenCount = 0
  for (let allowed = 0; !isDone; allowed++) {
    const target = new FaultyDisk()
    let left = allowed
    target.before = operation => {
      if (operation !== 'read' && left-- === 0) throw systemError('EIO')
    }
    isDone = await restore(source, { lsn: history.lsn }, target).then(
      () => true,
      error => {
        expect(String(error)).toContain('EIO')
        return false
      },
    )
    target.before = () => {}
    for (const remains of [target.copy(), target.crash(random)]) {
      if (isDone) {
        expect(await open(remains)).toEqual(history.moments.get(history.lsn))
        continue
      }
      if (remains.files.size === 0) continue
      brokenCount++
      await expect(openTestStore({ disk: remains })).rejects.toThrow(
        'a restore into this directory did not finish',
      )
      await expect(restore(source, { lsn: history.lsn }, remains)).rejects.toThrow('is not empty')
    }
  }
  expect(brokenCount).toBeGreaterThan(20)
})
