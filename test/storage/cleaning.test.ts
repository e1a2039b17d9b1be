import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { crc32c } from '../../src/protocol/records/crc32c.ts'
import type { BatchDraft } from '../../src/protocol/records/record.ts'
import { audit } from '../../src/storage/audit.ts'
import { defaultLogSettings, type LogSettings } from '../../src/storage/log-settings.ts'
import { Pace } from '../../src/storage/pace.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { Store, StoreOptions } from '../../src/storage/store.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { batchOf, compacted, keyed, openConfigured, readAll, recordsOf } from './support.ts'

interface Opened {
  readonly disk: FaultyDisk
  readonly clock: ManualClock
  readonly store: Store
  /** Compacted. */
  readonly log: PartitionLog
  /** Not compacted. */
  readonly other: PartitionLog
}

async function open(
  disk = new FaultyDisk(),
  clock = new ManualClock(),
  settings: Partial<LogSettings> = {},
  more: Partial<StoreOptions> = {},
): Promise<Opened> {
  const all = [{ ...compacted, ...settings }, defaultLogSettings]
  const { store, logs } = await openConfigured(all, { disk, clock, ...more })
  return { disk, clock, store, log: logs[0]!, other: logs[1]! }
}

async function put(opened: Opened, key: string, value: string | null): Promise<void> {
  await opened.log.append(keyed(opened.clock, [[key, value]])).committed
}

function tombstones(lines: readonly string[]): string[] {
  return lines.filter(line => line.endsWith('=null'))
}

async function closeAudited(store: Store): Promise<void> {
  expect(await audit(store)).toEqual([])
  await store.close()
}

/** Twelve rounds of three keys, with something of another partition between. */
async function filled(
  settings: Partial<LogSettings> = {},
  more: Partial<StoreOptions> = {},
): Promise<Opened> {
  const opened = await open(new FaultyDisk(), new ManualClock(), settings, more)
  for (let round = 0; round < 12; round++) {
    for (const key of ['a', 'b', 'c']) await put(opened, key, `${key}${round}`)
    await opened.other.append(batchOf([`other ${round}`])).committed
  }
  return opened
}

test('keeps the latest value of each key, and everything of the active segment', async () => {
  const opened = await filled()
  const { store, log, other, disk, clock } = opened
  const others = await readAll(other)
  const active = BigInt(log.segments.at(-1)!.baseOffset)
  const before = await recordsOf(log)
  await store.compact()
  const after = await recordsOf(log)
  expect(after.slice(-Number(36n - active))).toEqual(before.slice(Number(active)))
  // The three latest of what was cleanable, at the offsets that they had.
  expect(after.slice(0, -Number(36n - active))).toEqual(before.slice(Number(active) - 3, Number(active)))
  expect(log.logStartOffset).toBe(0n)
  expect(log.highWatermark).toBe(36n)
  expect(log.sizeInBytes).toBe((await readAll(log)).length)
  expect(await readAll(other)).toEqual(others)
  await closeAudited(store)

  const again = await open(disk, clock)
  expect(await recordsOf(again.log)).toEqual(after)
  expect([again.log.logStartOffset, again.log.highWatermark]).toEqual([0n, 36n])
  expect(again.log.sizeInBytes).toBe((await readAll(again.log)).length)
  expect(await readAll(again.other)).toEqual(others)
  await closeAudited(again.store)
})

test('reads on behind an offset that is gone', async () => {
  const { store, log } = await filled()
  await store.compact()
  const [first] = await recordsOf(log)
  const slice = await log.read(1n, { lengthMax: 1, limit: log.highWatermark, atLeastOne: true })
  const [batch] = [...batchesIn(slice.pieces[0]!)]
  expect(String(batch!.baseOffset)).toBe(first!.split(' ')[0])
  slice.release()
  await closeAudited(store)
})

test('cleans when enough is dirty, and remembers over a restart how far it came', async () => {
  const { store, log, disk, clock } = await filled()
  await store.compact()
  const cleaned = log.state.cleanedOffset
  expect(cleaned).toBe(log.segments.at(-1)!.baseOffset)
  const { operations } = disk
  const calls = operations.length
  await store.compact()
  expect(operations.length).toBe(calls)
  await closeAudited(store)
  const again = await open(disk, clock)
  expect(again.log.state.cleanedOffset).toBe(cleaned)
  const writes = disk.count('write', '.log')
  await again.store.compact()
  expect(disk.count('write', '.log')).toBe(writes)
  // One more segment is not more than the clean part; many are.
  for (let round = 0; round < 9; round++) await put(again, `new ${round}`, 'x')
  await again.store.compact({ mapBytesMax: 1 << 20 })
  for (let round = 0; round < 30; round++) await put(again, 'a', `newer ${round}`)
  await again.store.compact()
  expect(again.log.state.cleanedOffset).toBe(again.log.segments.at(-1)!.baseOffset)
  const records = await recordsOf(again.log)
  expect(records.filter(line => line.includes(' b='))).toHaveLength(1)
  expect(records.filter(line => line.includes(' a=')).length).toBeLessThan(10)
  await closeAudited(again.store)
})

test('keeps tombstones for delete.retention.ms, and then lets them go', async () => {
  const opened = await filled({ deleteRetentionMs: 1000, minCleanableDirtyRatio: 0 })
  const { store, log, clock } = opened
  for (const key of ['a', 'b', 'c']) await put(opened, key, null)
  for (let round = 0; round < 9; round++) await put(opened, 'd', `d${round}`)
  await store.compact()
  expect(tombstones(await recordsOf(log))).toHaveLength(3)
  expect((await recordsOf(log)).filter(line => / [abc]=[^n]/.test(line))).toEqual([])
  await clock.advance(999)
  await store.compact({ isForced: true })
  expect(tombstones(await recordsOf(log))).toHaveLength(3)
  await clock.advance(2)
  await store.compact({ isForced: true })
  expect(tombstones(await recordsOf(log))).toEqual([])
  await closeAudited(store)
})

test('leaves segments as old as what is left in them, for retention, over a close and a kill too', async () => {
  const settings = { isDeleted: true, retentionMs: 1000 }
  const opened = await open(new FaultyDisk(), new ManualClock(), settings)
  const { store, log, disk, clock } = opened
  const future = BigInt(clock.now() + 1_000_000_000)
  await log.append(keyed(clock, [['a', 'a']], { maxTimestamp: future })).committed
  for (let round = 0; round < 12; round++) await put(opened, round < 6 ? 'a' : 'b', `${round}`)
  log.roll()
  await clock.advance(1001)
  await put(opened, 'c', 'new')
  expect(log.retainedFrom()).toBeUndefined()
  await store.compact({ isForced: true })
  const killed = await open(disk.copy(), clock, settings)
  expect(log.retainedFrom()).toBe(13n)
  expect(killed.log.retainedFrom()).toBe(13n)
  await closeAudited(killed.store)
  await closeAudited(store)
  const closed = await open(disk, clock, settings)
  expect(closed.log.retainedFrom()).toBe(13n)
  await closeAudited(closed.store)
})

test('leaves alone what is younger than min.compaction.lag.ms', async () => {
  const { store, log, clock } = await filled({ minCompactionLagMs: 1000 })
  const before = await recordsOf(log)
  await store.compact({ isForced: true })
  expect(await recordsOf(log)).toEqual(before)
  await clock.advance(1001)
  await store.compact()
  expect((await recordsOf(log)).length).toBeLessThan(before.length)
  await closeAudited(store)
})

test('compacts what has waited for max.compaction.lag.ms, however little it is', async () => {
  const { store, log, clock } = await filled({ minCleanableDirtyRatio: 1, maxCompactionLagMs: 5000 })
  const before = await recordsOf(log)
  await store.compact()
  expect(await recordsOf(log)).toEqual(before)
  await clock.advance(5001)
  await store.compact()
  expect((await recordsOf(log)).length).toBeLessThan(before.length)
  await closeAudited(store)
})

test('recognises the retries of producers, though nothing else of their batches is left', async () => {
  const { disk, clock, store, log } = await open()
  const produced = (key: string, producerId: bigint, baseSequence: number): Buffer =>
    keyed(clock, [[key, `of ${producerId}`]], { producerId, producerEpoch: 0, baseSequence })
  for (let sequence = 0; sequence < 12; sequence++) await log.append(produced('k', 7n, sequence)).committed
  await log.append(produced('k', 8n, 0)).committed
  for (let sequence = 0; sequence < 12; sequence++) await log.append(produced('k', 9n, sequence)).committed
  await store.compact()
  const kept = [...batchesIn(await readAll(log))]
  expect(kept.filter(batch => batch.recordCount === 0).map(batch => batch.producerId)).toEqual([7n, 8n])
  expect(log.append(produced('k', 7n, 11))).toMatchObject({ isDuplicate: true, baseOffset: 11n })
  await closeAudited(store)
  // Without the checkpoint all comes from what is left.
  disk.files.delete('shard-0/checkpoint')
  const again = await open(disk, clock)
  expect(again.log.append(produced('k', 7n, 11))).toMatchObject({ isDuplicate: true, baseOffset: 11n })
  expect(again.log.append(produced('k', 8n, 0))).toMatchObject({ isDuplicate: true, baseOffset: 12n })
  expect(again.log.append(produced('k', 8n, 1))).toMatchObject({ isDuplicate: false })
  await again.store.flushed()
  await closeAudited(again.store)
})

test('cleans on from where a small map was full', async () => {
  const opened = await open()
  const { store, log } = opened
  for (let round = 0; round < 3; round++)
    for (let key = 0; key < 20; key++) await put(opened, `key ${key}`, `round ${round}`)
  // Ten keys fit.
  await store.compact({ mapBytesMax: 24 * 12 })
  const first = log.state.cleanedOffset
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThan(20)
  for (let pass = 0; pass < 10; pass++) await store.compact({ mapBytesMax: 24 * 12, isForced: true })
  const keys = (await recordsOf(log)).filter(
    line => Number(line.split(' ')[0]) < log.segments.at(-1)!.baseOffset,
  )
  expect(new Set(keys.map(line => /key \d+/.exec(line)![0])).size).toBe(keys.length)
  await closeAudited(store)
})

test('compacts several partitions in one pass, and what they lie between once', async () => {
  const { store, log, other, disk } = await filled()
  other.configure(compacted)
  const third = store.create(3, { createdAt: 1 })
  third.configure(compacted)
  for (let round = 0; round < 20; round++) {
    const batch = keyed(new ManualClock(), [['x', `x${round}`]])
    await third.append(batch).committed
  }
  await store.compact()
  expect((await recordsOf(log)).length).toBeLessThan(20)
  expect((await recordsOf(third)).length).toBeLessThan(12)
  expect(disk.names('-1.log')).toHaveLength(1)
  expect(disk.names('-2.log')).toEqual([])
  await closeAudited(store)
})

test('compacts one partition alone where it is told to', async () => {
  const { store, log, clock } = await filled()
  const third = store.create(3, { createdAt: 1 })
  third.configure(compacted)
  for (let round = 0; round < 20; round++) await third.append(keyed(clock, [['x', `x${round}`]])).committed
  await store.compact({ only: 3 })
  expect(await recordsOf(log)).toHaveLength(36)
  expect((await recordsOf(third)).length).toBeLessThan(12)
  await closeAudited(store)
})

test('leaves a partition with records that are not sound, and compacts the others', async () => {
  const { store, log, other, clock } = await filled()
  other.configure(compacted)
  const broken = keyed(clock, [['k', 'v']])
  broken.writeUInt8(0x7f, 61) // the length of the first record
  // As nothing that comes over the wire could be.
  broken.writeUInt32BE(crc32c(broken, 21), 17)
  await other.append(broken).committed
  for (let round = 0; round < 12; round++) await other.append(keyed(clock, [['k', `v${round}`]])).committed
  const before = await readAll(other)
  await store.compact()
  expect(other.isUncleanable).toBe(true)
  expect(await readAll(other)).toEqual(before)
  expect((await recordsOf(log)).length).toBeLessThan(20)
  await closeAudited(store)
})

const sceneOptions = { segmentBytes: 1500 }

test('is the old or the new log, whichever call a crash comes before', async () => {
  const random = seededRandom(3)
  let until = 1
  for (; ; until++) {
    const { disk, store, clock, other } = await filled({}, sceneOptions)
    let left: FaultyDisk | undefined
    let calls = 0
    disk.before = operation => {
      if (operation !== 'read' && ++calls === until) left = disk.crash(random)
    }
    await store.compact()
    const others = await readAll(other)
    disk.before = () => {}
    await store.close()
    if (!left) break
    const again = await open(left, clock, {}, sceneOptions)
    expect(again.store.faults).toEqual([])
    expect(await audit(again.store)).toEqual([])
    expect([again.log.logStartOffset, again.log.highWatermark]).toEqual([0n, 36n])
    expect(await readAll(again.other)).toEqual(others)
    await again.store.compact({ isForced: true })
    const records = await recordsOf(again.log)
    const { cleanedOffset, compactedOffset } = again.log.state
    const end = Math.max(cleanedOffset, compactedOffset)
    const cleaned = records.filter(line => Number(line.split(' ')[0]) < end)
    expect(cleaned.map(line => line.split(' ')[1]![0]).toSorted()).toEqual(['a', 'b', 'c'])
    await closeAudited(again.store)
  }
  expect(until).toBeGreaterThan(10)
})

function inTransaction(baseSequence: number, producerId = 9n): Partial<BatchDraft> {
  return { producerId, producerEpoch: 0, baseSequence, isTransactional: true }
}

async function end({ log, clock }: Opened, type: 'COMMIT' | 'ABORT', producerId = 9n): Promise<void> {
  const timestamp = BigInt(clock.now())
  const marker = { type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp, transactionVersion: 1 }
  await log.endTransaction(marker).committed
}

/** The offsets of a log's batches that are no markers, and those of its markers. */
async function batchesOf(log: PartitionLog): Promise<{ data: bigint[]; markers: bigint[] }> {
  const data: bigint[] = []
  const markers: bigint[] = []
  for (const { isControl, recordCount, baseOffset } of batchesIn(await readAll(log)))
    if (recordCount > 0) (isControl ? markers : data).push(baseOffset)
  return { data, markers }
}

test('takes aborted records for none, and forgets their transaction when its marker may go', async () => {
  const opened = await open(undefined, undefined, { deleteRetentionMs: 60_000 })
  const { log, clock, store, disk } = opened
  await put(opened, 'a', 'kept')
  log.append(keyed(clock, [['a', 'aborted']], inTransaction(0)))
  await end(opened, 'ABORT')
  log.append(keyed(clock, [['b', 'replaced']], inTransaction(1)))
  log.append(keyed(clock, [['b', 'committed']], inTransaction(2)))
  await end(opened, 'COMMIT')
  const aborted = [{ producerId: 9n, firstOffset: 1, lastOffset: 2 }]
  const clean = async (): Promise<void> => {
    log.roll()
    await store.compact({ isForced: true })
    expect(await audit(store)).toEqual([])
  }

  await clean()
  expect(await batchesOf(log)).toEqual({ data: [0n, 4n], markers: [2n, 5n] })
  expect(log.abortedTransactions(0n, 6n)).toEqual(aborted)
  // Now that the data is gone, the marker's time begins, and nobody needs to know of it any more.
  await put(opened, 'c', '')
  await clean()
  expect(await batchesOf(log)).toEqual({ data: [0n, 4n, 6n], markers: [2n, 5n] })
  expect(log.abortedTransactions(0n, 6n)).toEqual([])
  await clock.advance(60_001)
  await put(opened, 'd', '')
  await clean()
  expect(await batchesOf(log)).toEqual({ data: [0n, 4n, 6n, 7n], markers: [5n] })

  const left = disk.copy()
  await store.close()
  await left.remove('shard-0/checkpoint')
  const again = await open(left, clock)
  expect(again.log.abortedTransactions(0n, 8n)).toEqual([])
  expect([again.log.lastStableOffset, again.log.highWatermark]).toEqual([8n, 8n])
  await closeAudited(again.store)
})

test('leaves everything from the last stable offset on', async () => {
  const opened = await open()
  const { log, clock, store } = opened
  const rounds = async (): Promise<void> => {
    for (let round = 0; round < 6; round++) await put(opened, 'a', `${round}`)
    log.roll()
  }
  await rounds()
  await log.append(keyed(clock, [['b', 'open']], inTransaction(0))).committed
  await rounds()
  const stable = log.lastStableOffset
  expect(stable).toBe(6n)
  await store.compact({ isForced: true })
  expect((await batchesOf(log)).data).toEqual([5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n])
  expect(log.lastStableOffset).toBe(stable)
  await end(opened, 'COMMIT')
  log.roll()
  await store.compact({ isForced: true })
  expect((await batchesOf(log)).data).toEqual([6n, 12n])
  await closeAudited(store)
})

test('a compaction that is under way reads no further once the store closes', async () => {
  const opened = await open()
  const { store, log, clock } = opened
  const value = 'v'.repeat(50_000)
  for (let count = 0; count < 100; count++) await put(opened, `${count % 7}`, value)
  let passed = 0
  let compaction: Promise<void> | undefined
  await new Promise<void>(begun => {
    const pace = new Pace(clock, () => {
      passed++
      begun()
      return Infinity
    })
    compaction = store.compact({ pace })
  })
  const before = passed
  await store.close()
  await compaction
  expect(passed - before).toBeLessThan(10)
  expect(log.state.cleanedOffset).toBe(0)
})
