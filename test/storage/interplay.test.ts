import { expect, test } from 'vitest'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { audit } from '../../src/storage/audit.ts'
import { groupCommit, type Durability } from '../../src/storage/durability.ts'
import { defaultLogSettings, type LogSettings } from '../../src/storage/log-settings.ts'
import { Pace } from '../../src/storage/pace.ts'
import type { PartitionLog, TransactionEnd } from '../../src/storage/partition-log.ts'
import type { Store, StoreOptions } from '../../src/storage/store.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import {
  batchOf,
  compacted,
  heldDisk,
  keyed,
  openConfigured,
  openTestStore,
  readAll,
  readCommitted,
  recordsOf,
  turns,
} from './support.ts'

// What appends, cleanings, rewriting, removals and crashes do to one another.

const async: Durability = { ...groupCommit, mode: 'async', recordsMax: 1000, delayMsMax: 20 }
const deleted: Partial<LogSettings> = { isCompacted: false, isDeleted: true }

interface Opened {
  readonly disk: FaultyDisk
  readonly clock: ManualClock
  readonly store: Store
  /** Compacted, unless settings say otherwise. */
  readonly log: PartitionLog
  readonly other: PartitionLog
  readonly third: PartitionLog
}

async function open(
  disk: FaultyDisk,
  clock: ManualClock,
  more: Partial<StoreOptions> = {},
  settings: Partial<LogSettings> = {},
): Promise<Opened> {
  const others = { ...defaultLogSettings, fileDeleteDelayMs: 0 }
  const all = [{ ...compacted, ...settings }, others, others]
  const { store, logs } = await openConfigured(all, { disk, clock, ...more })
  return { disk, clock, store, log: logs[0]!, other: logs[1]!, third: logs[2]! }
}

function put({ log, clock }: Opened, key: string, value: string): Promise<void> {
  return log.append(keyed(clock, [[key, value]])).committed
}

function putInTransaction(
  { log, clock }: Opened,
  sequence: number,
  key: string,
  value: string,
): Promise<void> {
  const draft = { producerId: 9n, producerEpoch: 0, baseSequence: sequence, isTransactional: true }
  return log.append(keyed(clock, [[key, value]], draft)).committed
}

function end({ log, clock }: Opened, type: TransactionEnd['type']): Promise<void> {
  const timestamp = BigInt(clock.now())
  const producer = { producerId: 9n, producerEpoch: 0, coordinatorEpoch: 0 }
  return log.endTransaction({ type, ...producer, timestamp, transactionVersion: 1 }).committed
}

/** Compacts all but what comes later. */
async function clean({ log, store }: Opened): Promise<void> {
  log.roll()
  await store.compact({ isForced: true })
  expect(await audit(store)).toEqual([])
}

function segmentBytesOf({ segments }: PartitionLog): number {
  return segments.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
}

test('the high watermark never goes back where a later block was shown before an earlier one was synced', async () => {
  const { disk, letGo } = heldDisk()
  const store = await openTestStore({ disk, clock: new ManualClock(), blockBytes: 200 })
  const log = store.create(1, { createdAt: 1 })
  store.dropUnknown()
  const seen: bigint[] = []
  log.onAdvance(() => seen.push(log.highWatermark))
  for (let index = 0; index < 6; index++) log.append(batchOf(['x'.repeat(80)]), { durability: async })
  await turns()
  for (let sync = 0; sync < 3; sync++) {
    letGo()
    await turns()
    seen.push(log.highWatermark)
  }
  expect(seen.at(-1)).toBe(6n)
  expect(seen).toEqual(seen.toSorted((one, later) => Number(one - later)))
})

test('a file that was begun and has no block is not closed for a cleaning, and takes what comes next', async () => {
  const clock = new ManualClock()
  const first = await open(new FaultyDisk(), clock, { segmentBytes: 2500 })
  const { disk } = first
  // A crash after the second file was made, before its first block and before the checkpoint.
  const copies: FaultyDisk[] = []
  const held: (() => void)[] = []
  disk.before = (operation, name) => {
    if (operation === 'replace' && name.endsWith('checkpoint')) {
      return new Promise(resolve => void held.push(resolve))
    }
    if (operation === 'write' && name === disk.names('.log')[1]) copies.push(disk.copy())
    return undefined
  }
  for (let index = 0; copies.length === 0; index++) await put(first, `k${index % 2}`, `v${index}`)
  disk.before = () => {}
  for (const letGo of held) letGo()

  const left = copies[0]!
  const again = await open(left, clock, { segmentBytes: 2500 })
  const empty = left.names('.log')[1]
  let appended: Promise<void> | undefined
  // Somebody appends as soon as the cleaning has anything written.
  left.before = (operation, name) => {
    if (name === empty || (operation === 'replace' && name.endsWith('checkpoint')))
      appended ??= again.other.append(batchOf(['new'])).committed
  }
  await clean(again)
  await appended
  await again.other.append(batchOf(['more'])).committed
  expect(left.names('.log')).toContain(empty)
  expect((await recordsOf(again.log)).length).toBeLessThan(5)
  const third = await open(left.copy(), clock, { segmentBytes: 2500 })
  expect(third.store.faults).toEqual([])
  expect(third.other.highWatermark).toBe(2n)
})

test('a cleaning after a kill between a footer and its checkpoint cleans what it says', async () => {
  const clock = new ManualClock()
  const first = await open(new FaultyDisk(), clock, { segmentBytes: 2500 })
  const copies: FaultyDisk[] = []
  first.disk.before = (operation, name) => {
    if (operation === 'replace' && name.endsWith('checkpoint')) copies.push(first.disk.copy())
  }
  for (let index = 0; copies.length === 0; index++) {
    await put(first, `k${index % 2}`, `v${index}`)
    await turns()
  }
  const again = await open(copies[0]!, clock, { segmentBytes: 2500 })
  await clean(again)
  const { cleanedOffset } = again.log.state
  const records = (await recordsOf(again.log)).map(line => line.split(/[ =]/))
  const cleaned = records.filter(([offset]) => Number(offset) < cleanedOffset).map(([, key]) => key)
  expect(cleanedOffset).toBeGreaterThan(0)
  expect(cleaned.toSorted()).toEqual(['k0', 'k1'])
})

test('an aborted transaction does not come back by a kill once compaction has taken its marker', async () => {
  const clock = new ManualClock()
  const settings = { deleteRetentionMs: 60_000 }
  const opened = await open(new FaultyDisk(), clock, {}, settings)
  await put(opened, 'a', 'kept')
  await putInTransaction(opened, 0, 'a', 'aborted')
  await end(opened, 'ABORT')
  await putInTransaction(opened, 1, 'c', 'committed')
  await end(opened, 'COMMIT')
  await clean(opened)
  await clean(opened)
  expect(opened.log.abortedTransactions(0n, 5n)).toEqual([])
  await clock.advance(60_001)
  await clean(opened)
  const before = await readCommitted(opened.log)
  expect(before).toEqual([0n, 3n])

  const again = await open(opened.disk.copy(), clock, {}, settings)
  expect(again.log.abortedTransactions(0n, 5n)).toEqual([])
  expect(await readCommitted(again.log)).toEqual(before)
})

test('what was read ahead before cleanings shows nobody what was aborted', async () => {
  const clock = new ManualClock()
  const whole = { segmentBytes: 1024 * 1024 }
  const opened = await open(new FaultyDisk(), clock, whole, whole)
  const { log } = opened
  const long = 'v'.repeat(20_000)
  for (let index = 0; index < 8; index++) await put(opened, `k${index}`, long)
  for (let index = 0; index < 4; index++) await putInTransaction(opened, index, `t${index}`, long)
  await end(opened, 'ABORT')
  await putInTransaction(opened, 4, 'z', long)
  await end(opened, 'COMMIT')
  const options = { lengthMax: 85_000, limit: log.lastStableOffset, atLeastOne: true }
  let offset = 0n
  for (let stretch = 0; stretch < 2; stretch++) {
    const slice = await log.read(offset, options)
    offset = slice.nextOffset
    slice.release()
  }
  // The stretch with the aborted records has been read ahead by now, and its reader is gone.
  await turns()
  for (let cleaning = 0; cleaning < 2; cleaning++) {
    await clean(opened)
    await put(opened, 'y', 'y')
  }
  const { aborted } = log
  const slice = await log.read(offset, options)
  const shown = slice.pieces
    .flatMap(piece => [...batchesIn(piece)])
    .filter(batch => batch.baseOffset < 12n && batch.recordCount > 0)
  expect(aborted.between(Number(offset), Number(slice.nextOffset))).toEqual([])
  expect(shown.map(batch => batch.baseOffset)).toEqual([])
  slice.release()
})

test('segments weigh after a kill what a cleaning has left, though a checkpoint was drawn during it', async () => {
  const clock = new ManualClock()
  const options = { segmentBytes: 3000 }
  const opened = await open(new FaultyDisk(), clock, options)
  const { disk, store, log, other } = opened
  for (let index = 0; index < 40; index++) await put(opened, `k${index % 2}`, `v${index}`)
  log.roll()
  let isDrawn = false
  const pace = new Pace(clock)
  const pass = pace.pass.bind(pace)
  pace.pass = async length => {
    if (!isDrawn && disk.names('.log').some(name => /-\d+\.log$/.test(name.replace('shard-', '')))) {
      isDrawn = true
      const count = disk.count('replace', 'checkpoint')
      while (disk.count('replace', 'checkpoint') === count) {
        await other.append(batchOf(['x'.repeat(100)])).committed
        await turns()
      }
    }
    return pass(length)
  }
  await store.compact({ isForced: true, pace })
  expect(isDrawn).toBe(true)
  expect(segmentBytesOf(log)).toBe(log.sizeInBytes)
  const again = await open(disk.copy(), clock, options)
  expect(again.log.sizeInBytes).toBe(log.sizeInBytes)
  expect(segmentBytesOf(again.log)).toBe(log.sizeInBytes)
})

test('retention takes nothing after a kill for what a cleaning has left nothing of', async () => {
  const clock = new ManualClock()
  const options = { segmentBytes: 3000 }
  const opened = await open(new FaultyDisk(), clock, options)
  const { disk, store, log } = opened
  const { segments } = store.shards[0]!
  do await put(opened, 'k', 'old')
  while (!segments.at(-1)!.isFull || segments.length < 3)
  for (const key of ['k', 'k1', 'k2', 'k3']) await put(opened, key, 'new')
  log.roll()
  await turns()
  await store.compact({ isForced: true })
  expect(segmentBytesOf(log)).toBe(log.sizeInBytes)
  const settings = { isDeleted: true, retentionBytes: 2 * log.sizeInBytes }
  const again = await open(disk.copy(), clock, options, settings)
  expect(segmentBytesOf(again.log)).toBe(log.sizeInBytes)
  expect(again.log.retainedFrom()).toBeUndefined()
})

test('records without a time are as old after a kill as they are, and end segments as they did', async () => {
  const clock = new ManualClock()
  const settings = { ...deleted, segmentBytes: 10_000, segmentMs: 5000, retentionMs: 10_000 }
  const { disk, log } = await open(new FaultyDisk(), clock, {}, settings)
  for (let count = 0; count < 3; count++) {
    for (const timestamp of [-1n, BigInt(clock.now())])
      await log.append(batchOf([], { records: [{ value: Buffer.from('v'), timestamp }] })).committed
    await clock.advance(5001)
  }
  const again = await open(disk.copy(), clock, {}, settings)
  expect(again.log.segments).toEqual(log.segments)
  expect(again.log.retainedFrom()).toBe(4n)
  // And once more, though nothing was written since.
  expect((await open(again.disk.copy(), clock, {}, settings)).log.retainedFrom()).toBe(4n)
})

test.each([
  { size: 'half', dead: 200, alive: 240, deaths: [0, 1] },
  { size: 'a seventh', dead: 600, alive: 100, deaths: [3, 4] },
])('segments may die while others of which $size is alive are rewritten', async ({ dead, alive, deaths }) => {
  const clock = new ManualClock()
  const options = { segmentBytes: 3000 }
  const opened = await open(new FaultyDisk(), clock, options, deleted)
  const { disk, store, log, other, third } = opened
  const shard = store.shards[0]!
  const ends: bigint[] = []
  while (ends.length < 10) {
    const count = shard.segments.length
    await log.append(batchOf(['d'.repeat(dead)])).committed
    await other.append(batchOf(['l'.repeat(alive)])).committed
    if (shard.segments.length > count && count > 0) ends.push(other.logEndOffset)
  }
  await third.append(batchOf(['t'])).committed
  await turns()
  log.deleteBefore(log.logEndOffset - 1n)
  await turns()
  let manifests = 0
  disk.before = (operation, name) => {
    if (operation !== 'replace' || !name.endsWith('manifest')) return undefined
    // At the first swap what it keeps dies; while that is being removed, what comes next does.
    const death = deaths[manifests++]
    if (death !== undefined) other.deleteBefore(ends[death]!)
    return turns(3)
  }
  await store.reclaim({ liveRatio: 0.75 })
  disk.before = () => {}
  await turns()
  expect(manifests).toBeGreaterThan(1)
  const blocks = shard.segments.map(segment => segment.firstBlock)
  expect(blocks).toEqual(blocks.toSorted((one, later) => one - later))
  for (const { runs } of shard.states())
    for (const { segment } of runs) expect(shard.segments).toContain(segment)
  expect(await audit(store)).toEqual([])

  log.deleteBefore(log.logEndOffset)
  other.deleteBefore(ends[6]!)
  await turns()
  await store.reclaim({ liveRatio: 0.99 })
  await turns()
  const again = await open(disk.copy(), clock, options, deleted)
  again.other.deleteBefore(ends[6]!)
  expect(again.store.faults).toEqual([])
  expect(await readAll(again.other)).toEqual(await readAll(other))
})

test('a batch that a full map cuts through is cleaned as far as the map goes', async () => {
  const opened = await open(new FaultyDisk(), new ManualClock())
  const { store, log, clock } = opened
  for (let index = 0; index < 3; index++) await put(opened, `u${index}`, 'x')
  const entries = ['d=old', 'd=new', 'w1=x', 'w2=x', 'w3=x'].map(
    entry => entry.split('=') as [string, string],
  )
  await log.append(keyed(clock, entries)).committed
  for (let index = 0; index < 12; index++) await put(opened, `y${index}`, 'x')
  log.roll()
  for (let pass = 0; pass < 10; pass++) await store.compact({ isForced: true, mapBytesMax: 24 * 7 })
  expect((await recordsOf(log)).filter(line => line.includes(' d='))).toEqual(['4 d=new'])
})

test('a close that cannot write the checkpoint of one shard commits what the others have accepted', async () => {
  const clock = new ManualClock()
  const disk = new FaultyDisk()
  const store = await openTestStore({ disk, clock, shards: 2 })
  const [even, odd] = [2, 3].map(id => store.create(id, { createdAt: 1 }))
  store.dropUnknown()
  await even!.append(batchOf(['x'])).committed
  await odd!.append(batchOf(['x']), { durability: async }).committed
  disk.before = (operation, name) => {
    if (operation === 'replace' && name === 'shard-0/checkpoint') throw new Error('no space left')
  }
  await expect(store.close()).rejects.toThrow('no space left')
  disk.before = () => {}
  const again = await openTestStore({ disk, clock, shards: 2 })
  expect(again.create(3, { createdAt: 1 }).highWatermark).toBe(1n)
})
