import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nodeDisk, type Disk } from '../../src/base/disk.ts'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { Slabs } from '../../src/base/slabs.ts'
import { audit } from '../../src/storage/audit.ts'
import type { PartitionLog, Slice } from '../../src/storage/partition-log.ts'
import type { Store, StoreOptions } from '../../src/storage/store.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { batchOf, openTestStore, readAll } from './support.ts'

async function temporaryDisk(): Promise<Disk> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-reading-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return nodeDisk(folder)
}

function sizeOf(slice: Slice): number {
  slice.release()
  return slice.length
}

const disks = [
  ['memory', async () => memoryDisk()],
  ['files', temporaryDisk],
] as const

async function open(options: Partial<StoreOptions>): Promise<{ store: Store; logs: PartitionLog[] }> {
  const store = await openTestStore(options)
  const logs = [1, 2, 3].map(id => store.create(id, { createdAt: 1 }))
  store.dropUnknown()
  return { store, logs }
}

async function closeAudited(store: Store): Promise<void> {
  expect(await audit(store)).toEqual([])
  await store.close()
}

async function fill({ store, logs }: { store: Store; logs: PartitionLog[] }, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const log of logs) log.append(batchOf([`${log.id}/${round}`, 'x'.repeat((round * 37) % 300), 'y']))
    if (round % 2 === 0) await store.flushed()
  }
  await store.flushed()
}

describe.each(disks)('reading from %s', (_name, makeDisk) => {
  test('gives the same from the tail, from the disk and after a restart, over many segments', async () => {
    const disk = await makeDisk()
    const small = { disk, segmentBytes: 5000, segmentEntries: 30 }
    const first = await open({ ...small, tailBytesMax: 1 << 20 })
    await fill(first, 60)
    const fromTail = await Promise.all(first.logs.map(log => readAll(log)))
    expect(fromTail.map(bytes => bytes.length)).toEqual(first.logs.map(log => log.sizeInBytes))
    await closeAudited(first.store)
    for (const tailBytesMax of [0, 3000]) {
      const second = await open({ ...small, tailBytesMax })
      const again = await Promise.all(second.logs.map(log => readAll(log)))
      expect(again.map((bytes, index) => bytes.equals(fromTail[index]!))).toEqual([true, true, true])
      // From every offset, as a consumer that seeks would.
      const log = second.logs[1]!
      for (let offset = 0n; offset < log.highWatermark; offset++) {
        const slice = await log.read(offset, { lengthMax: 1, limit: log.highWatermark, atLeastOne: true })
        expect(slice.pieces[0]!.readBigInt64BE(0)).toBe(offset - (offset % 3n))
        expect(slice.nextOffset).toBe(offset - (offset % 3n) + 3n)
        slice.release()
      }
      await closeAudited(second.store)
    }
  })

  test('keeps to length and limit, whole batches only', async () => {
    const { store, logs } = await open({ disk: await makeDisk() })
    await fill({ store, logs }, 10)
    const log = logs[0]!
    const at = (offset: bigint, lengthMax: number, limit = log.highWatermark, atLeastOne = true): Slice =>
      log.read(offset, { lengthMax, limit, atLeastOne }) as Slice
    const one = sizeOf(at(0n, 0))
    const two = sizeOf(at(0n, 1 << 20, 6n))
    expect(at(0n, one - 1, 30n, false)).toMatchObject({ length: 0, nextOffset: 0n })
    expect(sizeOf(at(0n, one, 30n, false))).toBe(one)
    expect(sizeOf(at(0n, two - 1))).toBe(one)
    expect(sizeOf(at(0n, two))).toBe(two)
    // A limit within a batch leaves the batch out.
    expect(sizeOf(at(0n, two, 5n))).toBe(one)
    expect(at(30n, 100)).toMatchObject({ length: 0, pieces: [], nextOffset: 30n })
    expect(() => at(31n, 100)).toThrow(/not between 0 and 30/)
    await closeAudited(store)
  })

  test('reads long runs asynchronously and many short ones together', async () => {
    const slabs = new Slabs()
    const disk = await makeDisk()
    const first = await open({ disk, slabs })
    const value = 'z'.repeat(40_000)
    for (let round = 0; round < 20; round++)
      for (const log of first.logs) log.append(batchOf([`${round}`, value]))
    await first.store.flushed()
    const expected = await readAll(first.logs[0]!)
    await closeAudited(first.store)
    const { store, logs } = await open({ disk, slabs, tailBytesMax: 0 })
    const taken = slabs.takenLength
    const limit = logs[0]!.highWatermark
    const reading = logs[0]!.read(0n, { lengthMax: 1 << 20, limit, atLeastOne: true })
    expect(reading).toBeInstanceOf(Promise)
    const slice = await reading
    expect(Buffer.concat(slice.pieces).equals(expected)).toBe(true)
    expect(slabs.takenLength).toBeGreaterThan(taken)
    slice.release()
    expect(slabs.takenLength).toBeLessThanOrEqual(taken + 1024 * 1024)
    const short = logs[0]!.read(0n, { lengthMax: 50_000, limit, atLeastOne: true })
    expect(short).not.toBeInstanceOf(Promise)
    await closeAudited(store)
  })

  test('goes on reading from a segment that is removed meanwhile', async () => {
    const disk = await makeDisk()
    const { store, logs } = await open({ disk, segmentBytes: 100_000, tailBytesMax: 0 })
    for (let round = 0; round < 6; round++) await logs[0]!.append(batchOf(['w'.repeat(50_000)])).committed
    const reading = logs[0]!.read(0n, { lengthMax: 1 << 20, limit: 6n, atLeastOne: true })
    logs[0]!.deleteBefore(6n)
    const slice = await reading
    expect(slice.nextOffset).toBe(6n)
    expect(Buffer.concat(slice.pieces).length).toBe(slice.length)
    slice.release()
    await closeAudited(store)
  })
})

/** A disk of which the files whose names end so cannot be read. */
function badDisk(): { disk: Disk; bad: { suffix: string | undefined } } {
  const disk = memoryDisk()
  const bad: { suffix: string | undefined } = { suffix: undefined }
  const openFile = disk.open.bind(disk)
  disk.open = async name => {
    const file = await openFile(name)
    const readSync = file.readSync.bind(file)
    // `read` goes this way too.
    file.readSync = (position, into) => {
      if (bad.suffix !== undefined && name.endsWith(bad.suffix))
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
      return readSync(position, into)
    }
    return file
  }
  return { disk, bad }
}

describe('where the disk does not give back what was written', () => {
  test('reads of a closed segment say KAFKA_STORAGE_ERROR', async () => {
    const { disk, bad } = badDisk()
    const { store, logs } = await open({ disk, segmentBytes: 1000, tailBytesMax: 0 })
    await fill({ store, logs }, 20)
    bad.suffix = '.log'
    const reading = async () => logs[0]!.read(0n, { lengthMax: 10_000, limit: 100n, atLeastOne: true })
    const refusal = { error: 'KAFKA_STORAGE_ERROR', message: 'EIO: i/o error' }
    await expect(reading()).rejects.toMatchObject(refusal)
    await expect(logs[0]!.offsetForTimestamp(1n)).rejects.toMatchObject(refusal)
    await expect(logs[0]!.maxTimestamp()).rejects.toMatchObject(refusal)
    bad.suffix = undefined
    sizeOf(await reading())
    await closeAudited(store)
  })

  test('a timestamp is found without the index', async () => {
    const { disk, bad } = badDisk()
    const { store, logs } = await open({ disk, segmentBytes: 1000, tailBytesMax: 0 })
    await fill({ store, logs }, 20)
    const found = await logs[0]!.offsetForTimestamp(1001n)
    expect(found).toMatchObject({ offset: 1n })
    bad.suffix = '.idx'
    expect(await logs[0]!.offsetForTimestamp(1001n)).toEqual(found)
    bad.suffix = undefined
    await closeAudited(store)
  })

  test('a log start moves all the same, and what is left is counted as soon as it can be', async () => {
    const { disk, bad } = badDisk()
    const { store, logs } = await open({ disk, segmentBytes: 1000, tailBytesMax: 0 })
    const log = logs[0]!
    const transaction = { producerId: 1n, producerEpoch: 0, isTransactional: true }
    for (let baseSequence = 0; baseSequence < 20; baseSequence++)
      log.append(batchOf(['x'.repeat(100)], { ...transaction, baseSequence }))
    await fill({ store, logs }, 20)
    await store.close()

    const again = await open({ disk, segmentBytes: 1000, tailBytesMax: 0 })
    const [cold] = again.logs
    const before = cold!.sizeInBytes
    bad.suffix = '.log'
    let isTold = false
    cold!.onAdvance(() => (isTold = true))
    cold!.deleteBefore(3n)
    expect(cold!.logStartOffset).toBe(3n)
    expect(isTold).toBe(true)
    // What is open stays so, wherever it now begins.
    expect(cold!.lastStableOffset).toBe(3n)
    expect(cold!.sizeInBytes).toBeLessThanOrEqual(before)
    cold!.deleteBefore(78n)
    expect(cold!.sizeInBytes).toBeLessThan(before / 4)
    bad.suffix = undefined
    expect(cold!.sizeInBytes).toBe((await readAll(cold!, 78n)).length)
    await again.store.close()
  })
})

describe('timestamps', () => {
  const options = { segmentBytes: 3000, strideRecords: 10, tailBytesMax: 0 }

  test('are found by record, over segments, whatever their order', async () => {
    const disk = memoryDisk()
    const { store, logs } = await open({ ...options, disk })
    const log = logs[0]!
    const timestamps = Array.from({ length: 200 }, (_, index) => 1000 + ((index * 7919) % 500))
    for (let index = 0; index < timestamps.length; index += 4) {
      const records = timestamps
        .slice(index, index + 4)
        .map(timestamp => ({ timestamp: BigInt(timestamp), value: Buffer.alloc(20) }))
      log.append(batchOf([], { records }))
      logs[1]!.append(batchOf(['noise']))
      if (index % 20 === 0) await store.flushed()
    }
    await store.flushed()
    const check = async (log: PartitionLog, start: number): Promise<void> => {
      for (let target = 990; target < 1510; target += 13) {
        const offset = timestamps.findIndex((timestamp, index) => index >= start && timestamp >= target)
        const found = await log.offsetForTimestamp(BigInt(target))
        const expected = {
          offset: BigInt(offset),
          timestamp: BigInt(timestamps[offset] ?? 0),
          leaderEpoch: 0,
        }
        expect(found).toEqual(offset < 0 ? undefined : expected)
      }
      const greatest = Math.max(...timestamps.slice(start))
      const offset = BigInt(timestamps.indexOf(greatest, start))
      expect(await log.maxTimestamp()).toEqual({ offset, timestamp: BigInt(greatest), leaderEpoch: 0 })
    }
    await check(log, 0)
    log.deleteBefore(97n)
    await check(log, 97)
    await closeAudited(store)
    const again = await open({ ...options, disk })
    again.logs[0]!.deleteBefore(97n)
    await check(again.logs[0]!, 97)
    await closeAudited(again.store)
  })

  test('of many partitions are not looked for in the index of all of them, once for each', async () => {
    const disk = new FaultyDisk()
    const store = await openTestStore({ disk, tailBytesMax: 0 })
    const logs = Array.from({ length: 500 }, (_, index) => store.create(index + 1, { createdAt: 1 }))
    for (const value of ['a', 'b']) for (const log of logs) log.append(batchOf([value]))
    await store.shards[0]!.roll()
    let readBytes = 0
    disk.beforeReadSync = (_name, _position, length) => (readBytes += length)
    const found = await Promise.all(logs.map(log => log.offsetForTimestamp(1000n)))
    expect(new Set(found.map(each => each?.offset))).toEqual(new Set([0n]))
    expect(readBytes).toBeLessThan(500 * 1000)
    await closeAudited(store)
  })

  test('of which the greatest is wanted are looked for where it is', async () => {
    const disk = new FaultyDisk()
    const store = await openTestStore({ disk, segmentBytes: 10_000, tailBytesMax: 0 })
    const log = store.create(1, { createdAt: 1 })
    for (let time = 0; time < 2000; time++)
      await log.append(batchOf([], { records: [{ value: null, timestamp: BigInt(time >> 1) }] })).committed
    await store.shards[0]!.roll()
    let readBytes = 0
    disk.beforeReadSync = (_name, _position, length) => (readBytes += length)
    expect(await log.maxTimestamp()).toMatchObject({ offset: 1998n, timestamp: 999n })
    expect(readBytes).toBeLessThan(20_000)
    await closeAudited(store)
  })

  test('of int64 extremes do no harm', async () => {
    const disk = memoryDisk()
    const { store, logs } = await open({ ...options, disk })
    const greatest = 2n ** 63n - 1n
    logs[0]!.append(batchOf([], { records: [{ timestamp: greatest, value: null }], baseTimestamp: greatest }))
    logs[1]!.append(batchOf([], { records: [{ timestamp: -1n, value: null }] }))
    for (let round = 0; round < 20; round++) logs[2]!.append(batchOf(['x'.repeat(300)]))
    await store.flushed()
    expect(await logs[0]!.maxTimestamp()).toMatchObject({ offset: 0n, timestamp: greatest })
    await closeAudited(store)
    const again = await open({ ...options, disk })
    expect(await again.logs[0]!.maxTimestamp()).toMatchObject({ offset: 0n, timestamp: greatest })
    expect(await again.logs[1]!.maxTimestamp()).toMatchObject({ offset: 0n, timestamp: -1n })
    await closeAudited(again.store)
  })

  test('are unknown to an empty log', async () => {
    const { store, logs } = await open({})
    expect(await logs[0]!.offsetForTimestamp(0n)).toBeUndefined()
    expect(await logs[0]!.maxTimestamp()).toBeUndefined()
    await closeAudited(store)
  })
})
