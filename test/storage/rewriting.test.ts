import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { audit } from '../../src/storage/audit.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { Store, StoreOptions } from '../../src/storage/store.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { settled } from '../support/manual-clock.ts'
import { batchOf, LoggedLines, openTestStore, readAll } from './support.ts'

const options = { segmentBytes: 4000, tailBytesMax: 0, strideRecords: 3 }

interface Opened {
  readonly disk: FaultyDisk
  readonly store: Store
  readonly logs: PartitionLog[]
}

/** Partitions 1 to 3, which begin where `starts` says. */
async function open(
  disk: FaultyDisk,
  starts: readonly bigint[] = [],
  more: Partial<StoreOptions> = {},
): Promise<Opened> {
  const store = await openTestStore({ disk, ...options, ...more })
  const logs = [1, 2, 3].map(id => store.create(id, { createdAt: 1 }))
  for (const [index, start] of starts.entries()) logs[index]!.deleteBefore(start)
  store.dropUnknown()
  return { disk, store, logs }
}

/** Some segments of three partitions, in blocks of one to three entries. */
async function filled(rounds = 20, more: Partial<StoreOptions> = {}): Promise<Opened> {
  const opened = await open(new FaultyDisk(), [], more)
  for (let round = 0; round < rounds; round++) {
    for (const log of opened.logs) {
      log.append(batchOf([`round ${round}`, String(log.id).repeat(120)]))
      if (round % 2 === 0) await opened.store.flushed()
    }
    await opened.store.flushed()
  }
  return opened
}

async function closeAudited(store: Store): Promise<void> {
  expect(await audit(store)).toEqual([])
  await store.close()
}

function sizeOf(disk: FaultyDisk): number {
  return disk.names('.log').reduce((sum, name) => sum + disk.get(name).length, 0)
}

test('leaves what is alive as it was, in less space, before and after a restart', async () => {
  const { disk, store, logs } = await filled()
  const before = sizeOf(disk)
  logs[0]!.deleteBefore(30n)
  logs[1]!.deleteBefore(39n)
  const expected = await Promise.all(logs.map(log => readAll(log)))
  const rows = logs.map(log => log.sizeInBytes)
  await store.reclaim()
  expect(sizeOf(disk)).toBeLessThan(before * 0.7)
  expect(disk.names('-1.log')).toHaveLength(1)
  expect(await Promise.all(logs.map(log => readAll(log)))).toEqual(expected)
  expect(logs.map(log => log.sizeInBytes)).toEqual(rows)
  expect(await audit(store)).toEqual([])
  await logs[0]!.append(batchOf(['behind'])).committed
  await store.close()

  const again = await open(disk, [30n, 39n])
  expect(again.store.faults).toEqual([])
  expect(again.logs.map(log => log.sizeInBytes)).toEqual([
    rows[0]! + batchOf(['behind']).length,
    ...rows.slice(1),
  ])
  expect(await Promise.all(again.logs.slice(1).map(log => readAll(log)))).toEqual(expected.slice(1))
  await closeAudited(again.store)
})

test('keeps LSNs, block numbers and epochs, and goes on counting where it was', async () => {
  const { disk, store, logs } = await filled()
  const lsn = store.shards[0]!.synced.lsn
  logs[2]!.deleteBefore(39n)
  await store.reclaim()
  await store.close()
  const { store: again, logs: found } = await open(disk, [0n, 0n, 39n])
  expect(again.shards[0]!.synced).toMatchObject({ lsn, blockEpoch: 1 })
  expect(found[0]!.append(batchOf(['next'])).lsn).toBe(lsn + 1)
  expect(found[0]!.epochEnd(0)).toEqual({ leaderEpoch: 0, endOffset: 40n })
  await again.flushed()
  await closeAudited(again)
})

test('rewrites what was rewritten, and leaves nothing of what has died whole', async () => {
  const { disk, store, logs } = await filled(40)
  for (const [start, index] of [
    [20n, 0],
    [79n, 1],
    [79n, 0],
    [60n, 2],
  ] as const) {
    logs[index]!.deleteBefore(start)
    await store.reclaim()
    expect(await audit(store)).toEqual([])
  }
  const expected = await Promise.all(logs.map(log => readAll(log)))
  for (const log of logs) log.deleteBefore(log.highWatermark)
  await store.flushed()
  await store.reclaim()
  expect(expected.map(bytes => bytes.length > 0)).toEqual([true, true, true])
  await store.close()
  // The newest segment is never rewritten; everything before it is gone.
  expect(disk.names('.log').length).toBe(1)
  const { store: again, logs: found } = await open(disk, [80n, 80n, 80n])
  expect(again.faults).toEqual([])
  expect(found.map(log => [log.logStartOffset, log.highWatermark])).toEqual(found.map(() => [80n, 80n]))
  expect(found[0]!.append(batchOf(['first of a new life'])).baseOffset).toBe(80n)
  await again.flushed()
  await closeAudited(again)
})

test('joins many small segments into few', async () => {
  const { disk, store, logs } = await open(new FaultyDisk())
  for (let round = 0; round < 30; round++) {
    await logs[round % 3]!.append(batchOf([`round ${round}`])).committed
    await store.shards[0]!.roll()
  }
  expect(disk.names('.log')).toHaveLength(30)
  const expected = await Promise.all(logs.map(log => readAll(log)))
  await store.reclaim()
  expect(disk.names('.log').length).toBeLessThan(4)
  expect(await Promise.all(logs.map(log => readAll(log)))).toEqual(expected)
  await closeAudited(store)
})

test('does nothing where enough is alive', async () => {
  const { disk, store, logs } = await filled()
  logs[0]!.deleteBefore(8n)
  await store.reclaim({ liveRatio: 0.3 })
  expect(disk.names('manifest')).toEqual([])
  await closeAudited(store)
})

test('lets readers of the old file finish, and appends go on meanwhile', async () => {
  const { disk, store, logs } = await filled()
  const log = logs[2]!
  logs[0]!.deleteBefore(40n)
  logs[1]!.deleteBefore(40n)
  const expected = await readAll(log)
  let reads = 0
  const progress = { isDone: false }
  const reclaiming = store.reclaim().then(() => (progress.isDone = true))
  while (!progress.isDone) {
    expect((await readAll(log, 0n)).subarray(0, expected.length)).toEqual(expected)
    await log.append(batchOf([`meanwhile ${reads}`])).committed
    reads++
  }
  await reclaiming
  expect(reads).toBeGreaterThan(1)
  expect((await readAll(log)).subarray(0, expected.length)).toEqual(expected)
  expect(log.highWatermark).toBe(40n + BigInt(reads))
  expect(disk.names('-1.log').length + disk.names('-2.log').length).toBeGreaterThan(0)
  await closeAudited(store)
})

test('finds timestamps across a segment that is rewritten under way', async () => {
  const { store, logs } = await filled()
  logs[0]!.deleteBefore(40n)
  logs[1]!.deleteBefore(40n)
  const asked = logs[2]!.offsetForTimestamp(1001n)
  const reclaiming = store.reclaim()
  expect(await asked).toMatchObject({ offset: 1n, timestamp: 1001n })
  await reclaiming
  expect(await logs[2]!.offsetForTimestamp(1001n)).toMatchObject({ offset: 1n })
  expect(await logs[2]!.maxTimestamp()).toMatchObject({ offset: 1n, timestamp: 1001n })
  await closeAudited(store)
})

/** What a partition is to hold, from its start on. */
interface Expected {
  readonly starts: readonly bigint[]
  readonly bytes: readonly Buffer[]
}

async function halfDead(more: Partial<StoreOptions> = {}): Promise<Opened & Expected> {
  const opened = await filled(20, more)
  const starts = [26n, 38n, 10n]
  for (const [index, log] of opened.logs.entries()) log.deleteBefore(starts[index]!)
  await opened.store.flushed()
  return { ...opened, starts, bytes: await Promise.all(opened.logs.map(log => readAll(log))) }
}

async function expectAfter(disk: FaultyDisk, { starts, bytes }: Expected): Promise<void> {
  const { store, logs } = await open(disk, starts)
  expect(store.faults).toEqual([])
  expect(await Promise.all(logs.map(log => readAll(log)))).toEqual(bytes)
  expect(await audit(store)).toEqual([])
  // Nothing is left that no segment needs.
  const logNames = disk.names('.log')
  expect(disk.names('.idx')).toEqual(logNames.map(name => name.replace('.log', '.idx')))
  await store.reclaim()
  expect(await Promise.all(logs.map(log => readAll(log)))).toEqual(bytes)
  await closeAudited(store)
}

test('leaves the old or the new, whichever call a crash comes before', async () => {
  const random = seededRandom(5)
  let until = 1
  for (; ; until++) {
    const { disk, store, starts, bytes } = await halfDead()
    let left: FaultyDisk | undefined
    let calls = 0
    disk.before = operation => {
      if (operation !== 'read' && ++calls === until) left = disk.crash(random)
    }
    await store.reclaim()
    disk.before = () => {}
    await store.close()
    if (!left) break
    await expectAfter(left, { starts, bytes })
  }
  expect(until).toBeGreaterThan(10)
})

test('gives up when the disk is full, leaves nothing behind and serves on', async () => {
  for (const operation of ['write', 'sync', 'open'] as const) {
    const { disk, store, logs, starts, bytes } = await halfDead()
    const names = [...disk.files.keys()]
    disk.before = (each, name) => {
      if (each === operation && name.includes('-1.')) throw systemError('ENOSPC')
    }
    await expect(store.reclaim()).rejects.toThrow('ENOSPC')
    disk.before = () => {}
    expect([...disk.files.keys()]).toEqual(names)
    expect(store.faults).toEqual([])
    expect(await Promise.all(logs.map(log => readAll(log)))).toEqual(bytes)
    await store.reclaim()
    expect(await Promise.all(logs.map(log => readAll(log)))).toEqual(bytes)
    await store.close()
    expect(disk.openCount).toBe(0)
    await expectAfter(disk, { starts, bytes })
  }
})

test('fences the shard when the manifest cannot be replaced, and keeps both files', async () => {
  const { disk, store, logs, starts, bytes } = await halfDead()
  disk.before = (operation, name) => {
    if (operation === 'replace' && name.endsWith('manifest')) throw systemError('EIO')
  }
  await store.reclaim()
  expect(store.faults).toHaveLength(1)
  expect(await Promise.all(logs.map(log => readAll(log)))).toEqual(bytes)
  disk.before = () => {}
  await store.close()
  expect(disk.openCount).toBe(0)
  await expectAfter(disk, { starts, bytes })
})

test('a dead segment that the manifest cannot do without stays until the next start', async () => {
  const { disk, store, logs } = await halfDead()
  await store.reclaim()
  disk.before = (operation, name) => {
    if (operation === 'replace' && name.endsWith('manifest')) throw systemError('EIO')
  }
  const names = disk.names('.log')
  for (const log of logs) log.deleteBefore(log.highWatermark)
  await expect(store.flushed()).resolves.toBeUndefined()
  await settled()
  expect(store.faults).toHaveLength(1)
  expect(disk.names('.log')).toEqual(names)
  disk.before = () => {}
  await store.close()
  expect(disk.openCount).toBe(0)
})

test('gives up the files of a dead segment that cannot be removed, and serves on', async () => {
  const { disk, store, starts, bytes } = await halfDead()
  disk.before = operation => {
    if (operation === 'rename') throw systemError('EIO')
  }
  await store.reclaim()
  expect(store.faults).toEqual([])
  disk.before = () => {}
  await store.close()
  expect(disk.openCount).toBe(0)
  await expectAfter(disk, { starts, bytes })
})

test('is sound where it takes what a producer wrote last, and leaves what it wrote before in another file', async () => {
  const { disk, store, logs } = await open(new FaultyDisk())
  const [log, other] = logs as [PartitionLog, PartitionLog]
  const isNewest = (count: number): boolean => store.shards[0]!.segments.length === count
  const write = (producerEpoch: number, text: string): Promise<void> =>
    log.append(batchOf([text], { producerId: 7n, producerEpoch, baseSequence: 0 })).committed
  await write(0, 'old')
  while (!isNewest(2)) await other.append(batchOf(['alive'.repeat(60)])).committed
  for (let epoch = 1; epoch <= 5; epoch++) await write(epoch, 'dead'.repeat(80))
  while (!isNewest(3)) await other.append(batchOf(['alive'.repeat(60)])).committed
  await settled()
  log.deleteBefore(log.highWatermark)
  await store.reclaim()
  expect(disk.names('.log')).toEqual([
    expect.any(String),
    expect.stringMatching(/-\d+\.log$/),
    expect.any(String),
  ])
  await closeAudited(store)
  const again = await open(disk, [log.logStartOffset])
  await closeAudited(again.store)
})

test('ends when the store is closed', async () => {
  const { disk, store, starts, bytes } = await halfDead()
  const reclaiming = store.reclaim()
  await store.close()
  await reclaiming
  await expectAfter(disk, { starts, bytes })
})

test('does not copy what is damaged, and says so', async () => {
  const logger = new LoggedLines()
  const { disk, store, logs } = await filled(20, { logger })
  logs[0]!.deleteBefore(40n)
  logs[1]!.deleteBefore(40n)
  await store.flushed()
  const name = disk.names('.log')[1]!
  disk.get(name)[300]! ^= 1
  await store.reclaim()
  expect(logger.lines).toContain('error a segment that is not sound cannot be rewritten')
  expect(disk.names('manifest')).toEqual([])
  await store.reclaim()
  expect(disk.names('.log')).toContain(name)
  await store.close()
})

test('goes on behind a segment that cannot be read, and says so', async () => {
  const logger = new LoggedLines()
  const { disk, store, logs } = await filled(40, { logger })
  for (const log of logs) log.deleteBefore(log.id === 1 ? 40n : 0n)
  logs[1]!.deleteBefore(60n)
  const [bad, ...others] = disk.names('.log')
  disk.beforeReadSync = name => {
    if (name === bad) throw systemError('EIO')
  }
  await store.reclaim()
  await store.reclaim()
  expect(logger.lines).toContain('error a segment that is not sound cannot be rewritten')
  const left = disk.names('.log')
  expect(left).toContain(bad)
  expect(others.filter(name => left.includes(name)).length).toBeLessThan(others.length / 2)
  disk.beforeReadSync = () => {}
  await closeAudited(store)
})

test('is found again whatever becomes of footers, indexes, the checkpoint and the anchor', async () => {
  const { disk, store, starts, bytes } = await halfDead()
  await store.reclaim()
  await store.close()
  const rewritten = disk.names('-1.log').concat(disk.names('-2.log'))
  expect(rewritten.length).toBeGreaterThan(0)
  for (const name of rewritten) {
    for (const back of [1, 70, 200]) {
      const damaged = disk.copy()
      damaged.put(name, disk.get(name).subarray(0, -back))
      await expectAfter(damaged, { starts, bytes })
    }
    const unindexed = disk.copy()
    unindexed.files.delete(name.replace('.log', '.idx'))
    await expectAfter(unindexed, { starts, bytes })
  }
  for (const lost of ['shard-0/checkpoint', 'shard-0/anchor']) {
    const damaged = disk.copy()
    damaged.files.delete(lost)
    await expectAfter(damaged, { starts, bytes })
  }
})

test('is corruption where a file is gone, cut short, or not named by a sound manifest', async () => {
  const { disk, store, starts } = await halfDead()
  await store.reclaim()
  await store.close()
  const name = disk.names('-1.log')[0]!
  const manifest = disk.get('shard-0/manifest')
  const flipped = Buffer.from(manifest)
  flipped[40]! ^= 1
  const damages: ((disk: FaultyDisk) => void)[] = [
    damaged => void damaged.files.delete(name),
    damaged => damaged.put(name, disk.get(name).subarray(0, 100)),
    damaged => damaged.put('shard-0/manifest', flipped),
  ]
  for (const damage of damages) {
    const damaged = disk.copy()
    damage(damaged)
    const names = [...damaged.files.keys()].filter(each => each.endsWith('.log'))
    const { store: again } = await open(damaged, starts)
    expect(again.faults).toHaveLength(1)
    await again.close()
    // Nothing is touched.
    expect([...damaged.files.keys()].filter(each => each.endsWith('.log'))).toEqual(names)
  }
})
