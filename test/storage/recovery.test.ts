import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sectorLength } from '../../src/base/direct-file.ts'
import { nodeDisk } from '../../src/base/disk.ts'
import { seededRandom } from '../../src/base/random.ts'
import { blockHeaderLength } from '../../src/storage/block.ts'
import { audit } from '../../src/storage/audit.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { Store, StoreOptions } from '../../src/storage/store.ts'
import { rowLength } from '../../src/storage/row.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { batchOf, LoggedLines, openTestStore, readAll } from './support.ts'

const log1 = 'shard-0/00000000000000000001.log'
const index1 = 'shard-0/00000000000000000001.idx'

/** Three blocks of partitions 1 and 2, closed or as a kill would leave them. */
async function threeBlocks(how: 'close' | 'kill', options: Partial<StoreOptions> = {}): Promise<FaultyDisk> {
  const disk = new FaultyDisk()
  const store = await openTestStore({ disk, ...options })
  const logs = [1, 2].map(id => store.create(id, { createdAt: 1 }))
  for (const word of ['one', 'two', 'three']) {
    for (const log of logs) log.append(batchOf([word, `${word} ${log.id}`]))
    await store.flushed()
  }
  // The anchor is written behind the answers.
  await new Promise(resolve => void setTimeout(resolve, 5))
  const left = disk.copy()
  await store.close()
  return how === 'close' ? disk : left
}

async function reopen(
  disk: FaultyDisk,
  options: Partial<StoreOptions> = {},
): Promise<{ store: Store; logs: PartitionLog[] }> {
  const store = await openTestStore({ disk, ...options })
  const logs = [1, 2].map(id => store.create(id, { createdAt: 1 }))
  store.dropUnknown()
  return { store, logs }
}

async function closeAudited(store: Store): Promise<void> {
  expect(await audit(store)).toEqual([])
  await store.close()
}

/** Where each block of a file begins, and where the last ends. */
function blocksOf(file: Buffer): number[] {
  const positions = [0]
  for (let at = 0; at < file.length;) {
    at += blockHeaderLength + file.readUInt32BE(at + 68) + file.readUInt32BE(at + 72)
    positions.push(at)
  }
  return positions
}

/** A batch of producer 9. */
function numbered(baseSequence: number): Buffer {
  return batchOf(['value'], { producerId: 9n, producerEpoch: 0, baseSequence })
}

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 0x10
  return copy
}

/** As if the last blocks had been written and neither synced nor anchored. */
function withoutAnchor(disk: FaultyDisk): FaultyDisk {
  disk.put('shard-0/anchor', Buffer.alloc(0))
  return disk
}

describe('a torn tail', () => {
  test('is cut whole wherever it was torn', async () => {
    const disk = withoutAnchor(await threeBlocks('kill'))
    const whole = disk.get(log1)
    const [, , third, end] = blocksOf(whole)
    for (let length = third!; length <= end!; length++) {
      const torn = disk.copy()
      torn.put(log1, whole.subarray(0, length))
      const { store, logs } = await reopen(torn)
      const isWhole = length === end
      expect(logs.map(log => log.highWatermark)).toEqual(isWhole ? [6n, 6n] : [4n, 4n])
      expect(torn.get(log1).length).toBe(isWhole ? end : third)
      expect(store.shards[0]!.fault).toBeUndefined()
      await store.close()
    }
  })

  test('is cut whole whichever of its bytes never reached the disk', async () => {
    const disk = withoutAnchor(await threeBlocks('kill'))
    const whole = disk.get(log1)
    const [, , third, end] = blocksOf(whole)
    for (let at = third!; at < end!; at++) {
      const torn = disk.copy()
      torn.put(log1, flip(whole, at))
      const { store, logs } = await reopen(torn)
      expect(logs.map(log => log.highWatermark)).toEqual([4n, 4n])
      logs[0]!.append(batchOf(['again']))
      await store.flushed()
      await closeAudited(store)
    }
  })

  test('may be followed by anything, as in a file that is used again', async () => {
    const disk = withoutAnchor(await threeBlocks('kill'))
    const whole = disk.get(log1)
    const [, , third] = blocksOf(whole)
    // Older blocks of the same shard behind the last one.
    disk.put(log1, Buffer.concat([whole.subarray(0, third), whole.subarray(0, third), Buffer.alloc(700)]))
    const { store, logs } = await reopen(disk)
    expect(logs.map(log => log.highWatermark)).toEqual([4n, 4n])
    await closeAudited(store)
  })

  test('that is sound is written again and synced before anyone sees it', async () => {
    const disk = withoutAnchor(await threeBlocks('kill'))
    const [, , third, end] = blocksOf(disk.get(log1))
    await (await reopen(disk)).store.close()
    const { operations } = disk
    const written = operations.findIndex(({ operation, name }) => operation === 'write' && name === log1)
    const synced = operations.findIndex(({ operation, name }) => operation === 'sync' && name === log1)
    expect(written).toBeGreaterThanOrEqual(0)
    expect(synced).toBeGreaterThan(written)
    expect(end! - third!).toBeGreaterThan(0)
  })

  test('that is long is written again as it was, around the page cache too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'odradek-recovery-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const store = await openTestStore({ disk: nodeDisk(join(folder, 'killed')) })
    const log = store.create(1, { createdAt: 1 })
    log.append(batchOf(['first']))
    await store.flushed()
    // One block, and nothing behind it that would say that it was synced.
    for (let batch = 0; batch < 6; batch++) log.append(batchOf([`${batch}`.padEnd(500_000, 'x')]))
    await store.flushed()
    const before = await readAll(log)
    await cp(join(folder, 'killed'), join(folder, 'left'), { recursive: true })
    await store.close()
    await writeFile(join(folder, 'left/shard-0/anchor'), '')
    await rm(join(folder, 'left/lock'))
    const again = await openTestStore({ disk: nodeDisk(join(folder, 'left')), tailBytesMax: 0 })
    const logAgain = again.create(1, { createdAt: 1 })
    again.dropUnknown()
    expect((await readAll(logAgain)).equals(before)).toBe(true)
    await closeAudited(again)
  })

  test('is worth a warning, unless it is the zeros that a write is followed by', async () => {
    const disk = await threeBlocks('kill')
    const whole = disk.get(log1)
    for (const [behind, warned] of [
      [Buffer.alloc(700), 0],
      [Buffer.alloc(700, 1), 1],
      [Buffer.alloc(sectorLength), 1],
    ] as const) {
      const left = disk.copy()
      left.put(log1, Buffer.concat([whole, behind]))
      const logger = new LoggedLines()
      await (await reopen(left, { logger })).store.close()
      expect(left.get(log1).length).toBe(whole.length)
      expect(logger.lines.filter(line => line.includes('cut off'))).toHaveLength(warned)
    }
  })

  test('that was synced is left alone', async () => {
    const disk = await threeBlocks('kill')
    await (await reopen(disk)).store.close()
    expect(disk.count('write', log1)).toBe(0)
  })
})

describe('damage to what was synced', () => {
  test('fences the shard, cuts nothing, and leaves the rest readable', async () => {
    const disk = await threeBlocks('kill')
    const whole = disk.get(log1)
    const [, second, third, end] = blocksOf(whole)
    const places = [second!, second! + 4, second! + 20, second! + blockHeaderLength + 3, third! + 16]
    for (const at of places) {
      const damaged = disk.copy()
      damaged.put(log1, flip(whole, at))
      const logger = new LoggedLines()
      const { store, logs } = await reopen(damaged, { logger })
      expect(store.shards[0]!.fault?.error).toBe('KAFKA_STORAGE_ERROR')
      expect(() => logs[0]!.append(batchOf(['more']))).toThrow(store.shards[0]!.fault)
      expect(damaged.get(log1).length).toBe(end)
      expect((await readAll(logs[0]!)).length).toBe(logs[0]!.sizeInBytes)
      expect(logs[0]!.highWatermark).toBe(at < third! ? 2n : 4n)
      expect(logger.lines.some(line => line.startsWith('error'))).toBe(true)
      await closeAudited(store)
      expect(damaged.get(log1)).toEqual(flip(whole, at))
    }
  })

  test('is recognised by a later block when the anchor is gone', async () => {
    const disk = withoutAnchor(await threeBlocks('kill'))
    const whole = disk.get(log1)
    const [, second, third] = blocksOf(whole)
    for (let at = second!; at < third!; at += 7) {
      const damaged = disk.copy()
      damaged.put(log1, flip(whole, at))
      const { store, logs } = await reopen(damaged)
      expect(store.shards[0]!.fault?.error).toBe('KAFKA_STORAGE_ERROR')
      expect(logs[0]!.highWatermark).toBe(2n)
      await store.close()
    }
  })

  test('may be behind a break and a bad sector: the shard is fenced, and nothing is cut off', async () => {
    const disk = withoutAnchor(await threeBlocks('kill'))
    const behind = Buffer.alloc(1_000_000, 1)
    disk.put(log1, Buffer.concat([disk.get(log1), behind]))
    const whole = disk.get(log1)
    disk.beforeReadSync = (name, position, length) => {
      if (name === log1 && position + length > 900_000) throw systemError('EIO')
    }
    const { store, logs } = await reopen(disk)
    expect(store.shards[0]!.fault?.message).toMatch(/what is behind it cannot be read: EIO/)
    expect(logs[0]!.highWatermark).toBe(6n)
    await store.close()
    expect(disk.get(log1).equals(whole)).toBe(true)
  })

  test('is recognised when whole blocks are missing', async () => {
    const disk = await threeBlocks('kill')
    const [, second] = blocksOf(disk.get(log1))
    disk.put(log1, disk.get(log1).subarray(0, second))
    const { store } = await reopen(disk)
    expect(store.shards[0]!.fault?.message).toMatch(/more was synced/)
    await store.close()
  })

  test('of a batch that is read is answered with KAFKA_STORAGE_ERROR', async () => {
    const disk = await threeBlocks('close')
    const whole = disk.get(log1)
    disk.put(log1, flip(whole, blockHeaderLength + 2 * rowLength + 70))
    const { store, logs } = await reopen(disk)
    const read = (): unknown => logs[0]!.read(0n, { lengthMax: 1000, limit: 6n, atLeastOne: true })
    expect(read).toThrow(/not the batch that was written/)
    expect(logs[1]!.read(0n, { lengthMax: 1, limit: 6n, atLeastOne: true })).toMatchObject({ nextOffset: 2n })
    expect((await audit(store))[0]).toMatch(/broken at 0: a batch with a wrong checksum/)
    await store.close()
  })
})

describe('what can be made again', () => {
  const options = { segmentBytes: 900, tailBytesMax: 0, strideRecords: 3 }

  async function manySegments(): Promise<FaultyDisk> {
    const disk = new FaultyDisk()
    const { store, logs } = await reopen(disk, options)
    for (let round = 0; round < 12; round++) {
      for (const log of logs) log.append(batchOf([`round ${round}`, 'x'.repeat(round)]))
      await store.flushed()
    }
    await store.close()
    return disk
  }

  async function expectWhole(disk: FaultyDisk): Promise<void> {
    const { store, logs } = await reopen(disk, options)
    expect(store.shards[0]!.fault).toBeUndefined()
    expect(logs.map(log => log.highWatermark)).toEqual([24n, 24n])
    expect(logs.map(log => log.logStartOffset)).toEqual([0n, 0n])
    for (const log of logs) expect((await readAll(log)).length).toBe(log.sizeInBytes)
    await closeAudited(store)
  }

  test('is every sparse index, missing, cut or damaged', async () => {
    const disk = await manySegments()
    const names = disk.names('.idx')
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) {
      for (const bytes of [undefined, flip(disk.get(name), 40), disk.get(name).subarray(0, 50)]) {
        const damaged = disk.copy()
        if (bytes) damaged.put(name, bytes)
        else damaged.files.delete(name)
        await expectWhole(damaged)
        expect(damaged.get(name)).toEqual(disk.get(name))
      }
    }
  })

  test('is every sparse index by another stride, which is no fault in those that are left', async () => {
    const disk = await manySegments()
    for (const strideRecords of [1, 100, 7]) {
      const { store, logs } = await reopen(disk, { ...options, strideRecords })
      expect(await audit(store)).toEqual([])
      for (const log of logs)
        for (let count = 0; count < 9; count++) log.append(batchOf(['more', 'and more']))
      await store.flushed()
      await closeAudited(store)
      disk.files.delete(disk.names('.idx')[0]!)
    }
  })

  test('is every footer', async () => {
    const disk = await manySegments()
    for (const name of disk.names('.log').slice(0, -1)) {
      for (const back of [1, 60, 100, 300]) {
        const damaged = disk.copy()
        damaged.put(name, disk.get(name).subarray(0, -back))
        await expectWhole(damaged)
        expect(damaged.get(name)).toEqual(disk.get(name))
      }
    }
  })

  test('is the footer of a segment behind which others were removed, whichever call a crash comes before', async () => {
    const whole = new FaultyDisk()
    const { store, logs } = await reopen(whole, options)
    await logs[1]!.append(batchOf(['kept'])).committed
    for (let round = 0; round < 12; round++) await logs[0]!.append(batchOf(['x'.repeat(200)])).committed
    await store.close()
    const partition2 = async (disk: FaultyDisk): Promise<{ store: Store; log: PartitionLog }> => {
      const store = await openTestStore({ disk, ...options })
      const log = store.create(2, { createdAt: 1 })
      store.dropUnknown()
      return { store, log }
    }
    await (await partition2(whole)).store.close()
    expect(whole.names('.log').length).toBe(2)
    whole.files.delete(whole.names('.idx')[0]!)

    const random = seededRandom(770)
    let until = 1
    for (; ; until++) {
      const disk = whole.copy()
      disk.isDirect = true
      const left: FaultyDisk[] = []
      let calls = 0
      disk.before = operation => {
        if (operation === 'read' || ++calls !== until) return
        left.push(disk.copy(), ...Array.from({ length: 8 }, () => disk.crash(random)))
      }
      await (await partition2(disk)).store.close()
      if (left.length === 0) break
      for (const each of left) {
        const { store, log } = await partition2(each)
        expect(store.faults, `before call ${until}`).toEqual([])
        expect((await readAll(log)).length).toBe(log.sizeInBytes)
        await closeAudited(store)
      }
    }
    expect(until).toBeGreaterThan(5)
  })

  test('is what a crash left of a dead segment that was being removed', async () => {
    const disk = new FaultyDisk()
    const { store, logs } = await reopen(disk, options)
    await logs[1]!.append(batchOf(['kept'])).committed
    for (let round = 0; round < 12; round++) await logs[0]!.append(batchOf(['x'.repeat(200)])).committed
    await store.close()
    const names = disk.names('.log')
    const whole = disk.copy()
    const again = await openTestStore({ disk, ...options })
    again.create(2, { createdAt: 1 })
    again.dropUnknown()
    await again.close()
    expect(disk.names('.log')).toEqual([names[0], names.at(-1)])
    // Any of the files that were being removed may be there still.
    for (const name of [
      ...names.slice(1, -1),
      ...names.slice(1, -1).map(name => name.replace('.log', '.idx')),
    ]) {
      const left = disk.copy()
      left.put(name, whole.get(name))
      const store = await openTestStore({ disk: left, ...options })
      const log = store.create(2, { createdAt: 1 })
      store.dropUnknown()
      expect(store.faults).toEqual([])
      expect((await readAll(log)).length).toBe(log.sizeInBytes)
      await closeAudited(store)
      expect(left.names('.log')).toEqual([names[0], names.at(-1)])
      expect(left.names('.idx').length).toBe(2)
    }
  })

  test('is the index of a dead segment that came back alone, behind which everything was removed', async () => {
    const disk = new FaultyDisk()
    const { store, logs } = await reopen(disk, options)
    for (let round = 0; round < 12; round++) await logs[0]!.append(batchOf(['x'.repeat(200)])).committed
    await store.close()
    const [first] = disk.names('.log')
    const whole = disk.copy()
    const again = await openTestStore({ disk, ...options })
    await again.shards[0]!.roll()
    again.dropUnknown()
    await again.close()
    expect(disk.names('.log')).toEqual([])
    disk.put(first!, whole.get(first!))
    const found = await openTestStore({ disk, ...options })
    const log = found.create(3, { createdAt: 1 })
    found.dropUnknown()
    expect(found.faults).toEqual([])
    await log.append(batchOf(['new'])).committed
    await closeAudited(found)
  })

  test('is the checkpoint', async () => {
    const disk = await manySegments()
    disk.files.delete('shard-0/checkpoint')
    await expectWhole(disk)
    const damaged = await manySegments()
    damaged.put('shard-0/checkpoint', flip(damaged.get('shard-0/checkpoint'), 80))
    await expectWhole(damaged)
  })

  test('is the anchor, missing, stale or torn', async () => {
    const disk = await manySegments()
    const anchor = disk.get('shard-0/anchor')
    for (const bytes of [Buffer.alloc(0), flip(anchor, 20), flip(anchor, 532), flip(flip(anchor, 20), 532)]) {
      const damaged = disk.copy()
      damaged.put('shard-0/anchor', bytes)
      await expectWhole(damaged)
    }
  })

  test('is a damaged sparse index in the middle of a live segment', async () => {
    const disk = await threeBlocks('kill')
    const index = disk.get(index1)
    disk.put(index1, flip(index, 33))
    await closeAudited((await reopen(disk)).store)
    expect(disk.get(index1)).toEqual(index)
  })
})

describe('a restart', () => {
  test('raises the leader epoch and the block epoch, and remembers where each epoch ended', async () => {
    const disk = await threeBlocks('close')
    for (const [start, epoch] of [
      [2, 1],
      [3, 2],
    ] as const) {
      const { store, logs } = await reopen(disk)
      expect(store.startCount).toBe(start)
      expect(logs[0]!.leaderEpoch).toBe(epoch)
      logs[0]!.append(batchOf([`in epoch ${epoch}`]))
      await store.flushed()
      await closeAudited(store)
    }
    const { store, logs } = await reopen(disk)
    const log = logs[0]!
    expect([0, 1, 2, 3].map(epoch => log.epochEnd(epoch))).toEqual([
      { leaderEpoch: 0, endOffset: 6n },
      { leaderEpoch: 1, endOffset: 7n },
      { leaderEpoch: 2, endOffset: 8n },
      { leaderEpoch: 3, endOffset: 8n },
    ])
    expect(log.epochEnd(4)).toEqual({ leaderEpoch: -1, endOffset: -1n })
    const { pieces } = await log.read(7n, { lengthMax: 1, limit: 8n, atLeastOne: true })
    expect(pieces[0]!.readInt32BE(12)).toBe(2)
    await closeAudited(store)
  })

  test('gives LSNs and block numbers that go on where the last ones ended', async () => {
    const disk = await threeBlocks('close')
    const { store, logs } = await reopen(disk)
    logs[0]!.append(batchOf(['next']))
    await store.flushed()
    expect(store.shards[0]!.synced).toMatchObject({ blockNumber: 4, lsn: 7, blockEpoch: 2 })
    await closeAudited(store)
  })

  test('recognises a retry of what was written before it', async () => {
    for (const how of ['close', 'kill'] as const) {
      const first = new FaultyDisk()
      const before = await reopen(first)
      const sequences = [0, 1, 2, 3, 4, 5]
      for (const sequence of sequences) before.logs[0]!.append(numbered(sequence))
      await before.store.flushed()
      const copy = first.copy()
      await before.store.close()
      const { store, logs } = await reopen(how === 'close' ? first : copy)
      const log = logs[0]!
      for (const sequence of [1, 2, 3, 4, 5]) {
        const again = log.append(numbered(sequence))
        expect(again).toMatchObject({
          isDuplicate: true,
          baseOffset: BigInt(sequence),
          lastOffset: BigInt(sequence),
        })
        await again.committed
      }
      expect(() => log.append(numbered(0))).toThrow(/Out of order sequence/)
      expect(log.append(numbered(6))).toMatchObject({ isDuplicate: false, baseOffset: 6n })
      await store.flushed()
      await closeAudited(store)
    }
  })

  test('drops what nobody claims', async () => {
    const disk = await threeBlocks('close')
    const store = await openTestStore({ disk })
    store.create(1, { createdAt: 1 })
    store.dropUnknown()
    expect(store.partition(2)).toBeUndefined()
    expect(store.create(2, { createdAt: 2 }).logEndOffset).toBe(0n)
    await store.close()
  })

  test('refuses a directory that a newer version wrote', async () => {
    const disk = await threeBlocks('close')
    disk.put('format', Buffer.from('odradek data directory, format 2\n'))
    await expect(reopen(disk)).rejects.toMatchObject({ name: 'StorageFormatError', message: /newer odradek/ })
    disk.put('format', Buffer.from('something else\n'))
    await expect(reopen(disk)).rejects.toMatchObject({ name: 'StorageFormatError' })
    // Refused, and given back.
    disk.put('format', Buffer.from('odradek data directory, format 1\n'))
    await (await reopen(disk)).store.close()
  })
})
