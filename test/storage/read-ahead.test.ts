import { expect, test } from 'vitest'
import { Slabs } from '../../src/base/slabs.ts'
import { ReadAhead, type Ahead } from '../../src/storage/read-ahead.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { Slice } from '../../src/storage/reading.ts'
import type { Store } from '../../src/storage/store.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { batchOf, openTestStore } from './support.ts'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
const stretch = { lengthMax: 300 * kibibyte, atLeastOne: true }

interface Scene {
  readonly disk: FaultyDisk
  readonly slabs: Slabs
  readonly store: Store
  readonly logs: PartitionLog[]
  /** How often a log file was read. */
  reads(): number
}

/** Two partitions of 40 batches of 100 KiB, none of them in memory. */
async function open(): Promise<Scene> {
  const disk = new FaultyDisk()
  const slabs = new Slabs()
  const store = await openTestStore({ disk, slabs, tailBytesMax: 0 })
  const logs = [1, 2].map(id => store.create(id, { createdAt: 1 }))
  store.dropUnknown()
  for (let round = 0; round < 40; round++) {
    for (const log of logs) log.append(batchOf([`${round}`.padEnd(100 * kibibyte, 'x')]))
  }
  await store.flushed()
  return { disk, slabs, store, logs, reads: () => disk.count('read', '.log') }
}

async function read(log: PartitionLog, from: bigint, limit = log.highWatermark): Promise<Slice> {
  return log.read(from, { ...stretch, limit })
}

/** Reads a stretch from each of these offsets, one after another. */
async function readFrom(log: PartitionLog, offsets: readonly bigint[]): Promise<void> {
  for (const from of offsets) (await read(log, from)).release()
}

/** Lets what is read in the background come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => void setImmediate(resolve))
}

test('a reader of one stretch after another finds the next one read', async () => {
  const { slabs, store, logs, reads } = await open()
  const log = logs[0]!
  const seen: bigint[] = []
  const readsBefore: number[] = []
  for (let from = 0n; from < log.highWatermark;) {
    await settle()
    readsBefore.push(reads())
    const slice = await read(log, from)
    expect(slice.pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(slice.length)
    expect(slice.pieces[0]!.readBigInt64BE(0)).toBe(from)
    slice.release()
    seen.push(from)
    from = slice.nextOffset
  }
  expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => BigInt(2 * index)))
  // The first is read when it is asked for, the second brings the third, and from then on there is always one ahead.
  const perStretch = readsBefore[1]! - readsBefore[0]!
  expect(readsBefore[2]! - readsBefore[1]!).toBe(2 * perStretch)
  for (let index = 3; index < readsBefore.length - 1; index++) {
    expect(readsBefore[index]! - readsBefore[index - 1]!).toBe(perStretch)
  }
  await store.close()
  expect(slabs.takenLength).toBeLessThanOrEqual(mebibyte)
})

test('what is read ahead waits for its reader while others read elsewhere', async () => {
  const { store, logs, reads } = await open()
  const log = logs[0]!
  await readFrom(log, [0n, 2n])
  await settle()
  const before = reads()
  await readFrom(log, [30n])
  const perStretch = reads() - before
  // Each time the one that is ahead is handed out, and the next one read.
  await readFrom(log, [4n, 6n])
  await settle()
  expect(reads()).toBe(before + 3 * perStretch)
  await store.close()
})

test('nothing is read ahead for a reader that jumps about', async () => {
  const { store, logs, reads } = await open()
  const log = logs[0]!
  await readFrom(log, [0n])
  const perStretch = reads()
  await readFrom(log, [10n, 4n, 30n, 4n, 20n])
  await settle()
  expect(reads()).toBe(6 * perStretch)
  await store.close()
})

test('what was read ahead is not given beyond a limit that is lower by then, nor to who wants less', async () => {
  const { slabs, store, logs } = await open()
  const log = logs[0]!
  await readFrom(log, [0n, 2n])
  const limited = await read(log, 4n, 5n)
  expect(limited.nextOffset).toBe(5n)
  limited.release()
  await readFrom(log, [10n, 12n])
  const short = await log.read(14n, { lengthMax: 150 * kibibyte, limit: log.highWatermark, atLeastOne: true })
  expect(short.nextOffset).toBe(15n)
  short.release()
  await store.close()
  expect(slabs.takenLength).toBeLessThanOrEqual(mebibyte)
})

test('a stretch that cannot be read is told to who comes for it, and to nobody else', async () => {
  const { disk, store, logs } = await open()
  const log = logs[0]!
  await readFrom(log, [0n])
  const second = await read(log, 2n)
  await settle()
  second.release()
  let isBroken = true
  disk.before = operation => {
    if (operation === 'read' && isBroken) throw systemError('EIO')
  }
  // The third was read before; asking for it has the fourth read, which fails.
  await readFrom(log, [4n])
  await settle()
  isBroken = false
  await readFrom(logs[1]!, [0n])
  await expect(read(log, 6n)).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  await readFrom(log, [6n])
  await store.close()
})

test('what is kept stays within a bound, and gives way once nobody came for it', async () => {
  const clock = new ManualClock()
  const ahead = new ReadAhead(clock)
  let released = 0
  const stretchOf = (length: number): Ahead => ({
    from: 0,
    nextOffset: 1,
    length,
    slice: Promise.resolve({ pieces: [], length, nextOffset: 1n, release: () => void released++ }),
  })
  const readers = Array.from({ length: 8 }, () => ({}))
  for (const reader of readers.slice(0, 4)) {
    expect(ahead.hasRoom(4 * mebibyte)).toBe(true)
    ahead.keep(reader, stretchOf(4 * mebibyte))
  }
  expect(ahead.hasRoom(4 * mebibyte)).toBe(false)
  expect(ahead.take(readers[1]!, 0)?.length).toBe(4 * mebibyte)
  expect(ahead.take(readers[1]!, 0)).toBeUndefined()
  expect(ahead.hasRoom(4 * mebibyte)).toBe(true)
  ahead.keep(readers[4]!, stretchOf(4 * mebibyte))
  await clock.advance(2000)
  expect(ahead.hasRoom(8 * mebibyte)).toBe(true)
  expect(ahead.take(readers[0]!, 0)).toBeUndefined()
  expect(ahead.take(readers[2]!, 0)).toBeUndefined()
  expect(ahead.take(readers[3]!, 0)?.length).toBe(4 * mebibyte)
  await ahead.drop()
  expect(released).toBe(3)
})
