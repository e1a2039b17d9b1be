import { expect, onTestFinished, test } from 'vitest'
import { Slabs } from '../../src/base/slabs.ts'
import { audit } from '../../src/storage/audit.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { Store, StoreOptions } from '../../src/storage/store.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { batchOf, heldDisk, LoggedLines, openTestStore, readAll, turns } from './support.ts'

const log1 = 'shard-0/00000000000000000001.log'
const index1 = 'shard-0/00000000000000000001.idx'

async function openWith(
  count: number,
  options: Partial<StoreOptions> = {},
): Promise<{ store: Store; logs: PartitionLog[] }> {
  const store = await openTestStore(options)
  const logs = Array.from({ length: count }, (_, index) =>
    store.create(index + 1, { createdAt: store.startCount }),
  )
  store.dropUnknown()
  onTestFinished(async () => {
    expect(await audit(store)).toEqual([])
    await store.close()
  })
  return { store, logs }
}

test('gives offsets in arrival order and the batches back as they came, offset and epoch stamped', async () => {
  const { store, logs } = await openWith(3)
  const expected: Buffer[][] = [[], [], []]
  for (let round = 0; round < 5; round++) {
    for (const [index, log] of logs.entries()) {
      const batch = batchOf(Array.from({ length: index + 1 }, (_, each) => `${round} ${each}`))
      const { baseOffset, lastOffset } = log.append(batch)
      expect(baseOffset).toBe(BigInt(round * (index + 1)))
      expect(lastOffset).toBe(baseOffset + BigInt(index))
      batch.writeBigInt64BE(baseOffset, 0)
      batch.writeInt32BE(0, 12)
      expected[index]!.push(batch)
    }
  }
  await store.flushed()
  for (const [index, log] of logs.entries())
    expect(await readAll(log)).toEqual(Buffer.concat(expected[index]!))
})

test('moves high watermarks, wakes listeners and resolves appends only when the block is synced', async () => {
  const { disk, letGo, held } = heldDisk()
  const { logs } = await openWith(2, { disk })
  const log = logs[0]!
  let wakes = 0
  let isCommitted = false
  log.onAdvance(() => wakes++)
  const { committed } = log.append(batchOf(['one', 'two']))
  void committed.then(() => (isCommitted = true))
  await turns()
  expect(held()).toBe(1)
  expect([log.logEndOffset, log.highWatermark, wakes, isCommitted]).toEqual([2n, 0n, 0, false])
  expect(log.read(0n, { lengthMax: 100, limit: log.logEndOffset, atLeastOne: true })).toMatchObject({
    length: 0,
  })
  letGo()
  await committed
  expect([log.highWatermark, log.lastStableOffset, wakes]).toEqual([2n, 2n, 1])
})

test('commits everything of one turn in one block, and what comes meanwhile in the next', async () => {
  const { disk, letGo } = heldDisk()
  const { logs } = await openWith(2, { disk })
  const first = [
    logs[0]!.append(batchOf(['a'])),
    logs[1]!.append(batchOf(['b'])),
    logs[0]!.append(batchOf(['c'])),
  ]
  await turns()
  const second = [logs[1]!.append(batchOf(['d'])), logs[0]!.append(batchOf(['e']))]
  await turns()
  expect(new Set(first.map(({ committed }) => committed)).size).toBe(1)
  expect(new Set(second.map(({ committed }) => committed)).size).toBe(1)
  expect(first[0]!.committed).not.toBe(second[0]!.committed)
  expect([disk.count('write', '.log'), disk.count('sync', '.log')]).toEqual([1, 1])
  letGo()
  await first[0]!.committed
  await turns()
  letGo()
  await second[0]!.committed
  expect([disk.count('write', '.log'), disk.count('sync', '.log'), disk.count('write', '.idx')]).toEqual([
    2, 2, 1,
  ])
})

test('closes a block at its limit and writes the next one after it', async () => {
  const disk = new FaultyDisk()
  const { store, logs } = await openWith(1, { disk, blockBytes: 300 })
  for (let round = 0; round < 10; round++) logs[0]!.append(batchOf(['x'.repeat(80)]))
  await store.flushed()
  expect(disk.count('write', log1)).toBe(5)
  expect(store.shards[0]!.synced.blockNumber).toBe(5)
})

test('says when it is congested and when it is relieved', async () => {
  const { disk, letGo } = heldDisk()
  const { store, logs } = await openWith(1, { disk, backlogBytesMax: 1000 })
  let relieved = 0
  store.onceRelieved(() => relieved++)
  expect(relieved).toBe(1)
  const { committed } = logs[0]!.append(batchOf(['x'.repeat(600)]))
  expect(store.isCongested).toBe(false)
  logs[0]!.append(batchOf(['x'.repeat(600)]))
  expect(store.isCongested).toBe(true)
  store.onceRelieved(() => relieved++)
  await turns()
  expect(relieved).toBe(1)
  letGo()
  await committed
  expect([store.isCongested, relieved]).toEqual([false, 2])
})

test('keeps a held batch where it lies and gives the memory back when it leaves the tail', async () => {
  const slabs = new Slabs()
  const { store, logs } = await openWith(1, { slabs, tailBytesMax: 40_000 })
  const batch = batchOf(['x'.repeat(30_000)])
  for (let round = 0; round < 100; round++) {
    const region = slabs.take(batch.length)
    batch.copy(region.bytes)
    await logs[0]!.append(region.bytes, { hold: region }).committed
    expect(region.bytes.readBigInt64BE(0)).toBe(BigInt(round))
    region.release()
  }
  await store.flushed()
  // One slab in use for taking, and what the tail keeps.
  expect(slabs.takenLength).toBeLessThanOrEqual(3 * 1024 * 1024)
  expect(logs[0]!.sizeInBytes).toBe(100 * batch.length)
})

test('lets the tail give way when small batches hold large frames', async () => {
  const mebibyte = 1024 * 1024
  const slabs = new Slabs()
  const store = await openTestStore({ slabs, tailBytesMax: mebibyte, backlogBytesMax: mebibyte })
  onTestFinished(() => store.close())
  const log = store.create(1, { createdAt: 1 })
  const batch = batchOf(['x'.repeat(3000)])
  for (let count = 0; count < 20; count++) {
    const hold = slabs.take(mebibyte)
    batch.copy(hold.bytes)
    const { committed } = log.append(hold.bytes.subarray(0, batch.length), { hold })
    hold.release()
    await committed
  }
  expect(slabs.takenLength).toBeLessThanOrEqual(4 * mebibyte)
  expect(await readAll(log)).toHaveLength(20 * batch.length)
})

test('resolves flushed when all that was accepted is synced', async () => {
  const { disk, letGo } = heldDisk()
  const { store, logs } = await openWith(1, { disk })
  await store.flushed()
  logs[0]!.append(batchOf(['one']))
  let isFlushed = false
  const flushed = store.flushed().then(() => (isFlushed = true))
  await turns()
  expect(isFlushed).toBe(false)
  letGo()
  await flushed
  expect(logs[0]!.highWatermark).toBe(1n)
})

test('spreads partitions over shards and numbers all entries from one counter', async () => {
  const { store, logs } = await openWith(6, { shards: 3 })
  for (const log of logs) log.append(batchOf(['value']))
  await store.flushed()
  expect(logs.map(log => log.shard)).toEqual([1, 2, 0, 1, 2, 0])
  expect(store.shards.map(shard => shard.synced.lsn)).toEqual([6, 4, 5])
})

test('opens the shards that are there whatever number is asked for', async () => {
  const disk = new FaultyDisk()
  let store = await openTestStore({ disk, shards: 3 })
  store.create(5, { createdAt: 1, shard: 2 }).append(batchOf(['value']))
  await store.close()
  store = await openTestStore({ disk, shards: 1 })
  expect(store.create(5, { createdAt: 1, shard: 2 }).highWatermark).toBe(1n)
  expect(store.create(6, { createdAt: 2 }).shard).toBe(0)
  expect(await audit(store)).toEqual([])
  await store.close()
})

test('removes segment files in which nothing is alive, and only those', async () => {
  const disk = new FaultyDisk()
  const { store, logs } = await openWith(2, { disk, segmentBytes: 600, tailBytesMax: 0 })
  for (let round = 0; round < 8; round++) await logs[0]!.append(batchOf(['x'.repeat(200)])).committed
  await logs[1]!.append(batchOf(['kept'])).committed
  for (let round = 0; round < 8; round++) await logs[0]!.append(batchOf(['x'.repeat(200)])).committed
  await turns(100)
  const before = disk.names('.log')
  let wakes = 0
  logs[0]!.onAdvance(() => wakes++)
  store.drop(1)
  await turns(100)
  const after = disk.names('.log')
  expect(wakes).toBe(1)
  expect(before.length).toBeGreaterThan(5)
  // The one with the other partition's batch, and the one that is still written.
  expect(after.length).toBe(2)
  expect(disk.names('.idx').length).toBe(2)
  expect(() => logs[0]!.append(batchOf(['late']))).toThrow(/UNKNOWN_TOPIC_OR_PARTITION/)
  expect((await readAll(logs[1]!)).length).toBe(logs[1]!.sizeInBytes)
})

test('moves the log start, forgets what is before it, and keeps offsets through restarts', async () => {
  const disk = new FaultyDisk()
  const options = { disk, segmentBytes: 600, tailBytesMax: 0 }
  let store = await openTestStore(options)
  let log = store.create(1, { createdAt: 1 })
  for (let round = 0; round < 10; round++) await log.append(batchOf(['x'.repeat(200)])).committed
  const size = log.sizeInBytes
  log.deleteBefore(4n)
  log.deleteBefore(2n)
  expect([log.logStartOffset, log.sizeInBytes]).toEqual([4n, (size / 10) * 6])
  expect(() => log.read(3n, { lengthMax: 1, limit: 10n, atLeastOne: true })).toThrow(/not between 4 and 10/)
  log.deleteBefore(10n)
  expect([log.logStartOffset, log.highWatermark, log.sizeInBytes]).toEqual([10n, 10n, 0])
  expect(await audit(store)).toEqual([])
  await store.close()
  store = await openTestStore(options)
  log = store.create(1, { createdAt: 1 })
  log.deleteBefore(10n)
  store.dropUnknown()
  expect(log.append(batchOf(['next'])).baseOffset).toBe(10n)
  await store.flushed()
  expect(log.epochEnd(0)).toEqual({ leaderEpoch: 0, endOffset: 10n })
  expect(await audit(store)).toEqual([])
  await store.close()
})

test('refuses a second owner, and lets one in after the first has gone', async () => {
  const disk = new FaultyDisk()
  const { memoryDisk } = await import('../../src/base/memory-disk.ts')
  const memory = memoryDisk()
  const store = await openTestStore({ disk: memory })
  await expect(openTestStore({ disk: memory })).rejects.toMatchObject({ name: 'StorageInUseError' })
  await store.close()
  await (await openTestStore({ disk: memory })).close()
  expect(disk.operations).toEqual([])
})

test.each(['ENOSPC', 'EIO'])(
  'fails appends with KAFKA_STORAGE_ERROR after %s, fences, and never tries again',
  async code => {
    for (const operation of ['write', 'sync'] as const) {
      for (const suffix of ['.log', '.idx']) {
        if (operation === 'sync' && suffix === '.idx') continue
        const disk = new FaultyDisk()
        const logger = new LoggedLines()
        const { store, logs } = await openWith(2, { disk, logger })
        const other = await openTestStore({ disk: new FaultyDisk() })
        await logs[0]!.append(batchOf(['safe'])).committed
        disk.before = (each, name) => {
          if (each === operation && name.endsWith(suffix)) throw systemError(code)
        }
        const { committed } = logs[1]!.append(batchOf(['lost']))
        await expect(committed).rejects.toMatchObject({ name: 'KafkaError', error: 'KAFKA_STORAGE_ERROR' })
        await expect(committed).rejects.toThrow(code)
        disk.before = () => {}
        const writes = disk.count('write', '.log')
        expect(() => logs[0]!.append(batchOf(['late']))).toThrow(code)
        await expect(store.flushed()).rejects.toThrow(code)
        expect(store.isCongested).toBe(false)
        expect(logs.map(log => log.highWatermark)).toEqual([1n, 0n])
        expect((await readAll(logs[0]!)).length).toBeGreaterThan(0)
        expect(logger.lines.filter(line => line.startsWith('error'))).toHaveLength(1)
        await turns()
        expect(disk.count('write', '.log')).toBe(writes)
        await other.close()
      }
    }
  },
)

test('shows nothing of a block whose sync failed, not even after the sync of a later one', async () => {
  const disk = new FaultyDisk()
  const store = await openTestStore({ disk })
  const log = store.create(1, { createdAt: 1 })
  await log.append(batchOf(['safe'])).committed
  disk.before = operation => {
    if (operation === 'sync') throw systemError('EIO')
  }
  const first = log.append(batchOf(['failed'])).committed
  await expect(first).rejects.toThrow('EIO')
  expect(log.highWatermark).toBe(1n)
  await store.close()
  disk.before = () => {}
  // After the restart the block is there, sound, and synced at last; it was never acknowledged, so both ways are right.
  const again = await openTestStore({ disk })
  expect(again.create(1, { createdAt: 1 }).highWatermark).toBe(2n)
  expect(disk.get(log1).equals(disk.crash({ below: () => 1, bytes: Buffer.alloc }).get(log1))).toBe(true)
  expect(await audit(again)).toEqual([])
  await again.close()
})

test('surfaces the errors of a disk that cannot be opened as they are', async () => {
  const disk = new FaultyDisk()
  disk.before = (operation, name) => {
    if (operation === 'open' && name.endsWith('anchor')) throw systemError('EACCES')
  }
  await expect(openTestStore({ disk })).rejects.toMatchObject({ code: 'EACCES' })
  disk.before = () => {}
  await (await openTestStore({ disk })).close()
})

test('leaves nothing open where one shard cannot be opened, and gives the disk back when the others have ended', async () => {
  const disk = new FaultyDisk()
  const store = await openTestStore({ disk, shards: 3 })
  for (const id of [1, 2, 3]) await store.create(id, { createdAt: 1 }).append(batchOf(['value'])).committed
  await store.close()
  expect(disk.openCount).toBe(0)
  // As a kill leaves it, so that every shard has something to write at its start.
  for (const shard of [0, 1, 2])
    for (const name of ['checkpoint', 'anchor']) disk.files.delete(`shard-${shard}/${name}`)
  for (const failing of ['open', 'write'] as const) {
    const next = disk.copy()
    let letGo: (() => void) | undefined
    const held = new Promise<void>(resolve => void (letGo = resolve))
    next.before = (operation, name) => {
      if (
        operation === failing &&
        name.startsWith('shard-1/') &&
        name.endsWith(failing === 'open' ? 'idx' : 'log')
      )
        throw systemError('EMFILE')
      return operation === 'sync' && name.startsWith('shard-2/') ? held : undefined
    }
    let isOver = false
    const opening = openTestStore({ disk: next, shards: 3 }).finally(() => (isOver = true))
    opening.catch(() => {})
    await turns(50)
    expect(isOver).toBe(false)
    await expect(next.lock()).rejects.toThrow('locked')
    letGo!()
    await expect(opening).rejects.toMatchObject({ code: 'EMFILE' })
    expect(next.openCount).toBe(0)
    next.before = () => {}
    await (await openTestStore({ disk: next, shards: 3 })).close()
  }
})

test('audits what it finds on disk', async () => {
  const disk = new FaultyDisk()
  const store = await openTestStore({ disk })
  await store.create(1, { createdAt: 1 }).append(batchOf(['value'])).committed
  expect(await audit(store)).toEqual([])
  const index = Buffer.from(disk.get(index1))
  disk.get(index1)[40]! ^= 1
  expect(await audit(store)).toEqual([`shard 0: ${index1} is not sound`])
  disk.get(index1).set(index)
  disk.get(log1)[200]! ^= 1
  expect((await audit(store))[0]).toMatch(/is broken at 0/)
  await store.close()
})
