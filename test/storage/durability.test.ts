import { describe, expect, onTestFinished, test } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { audit } from '../../src/storage/audit.ts'
import { groupCommit, type Durability } from '../../src/storage/durability.ts'
import type { Appended, PartitionLog } from '../../src/storage/partition-log.ts'
import type { Store, StoreOptions } from '../../src/storage/store.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { batchOf, heldDisk, openTestStore, readAll, turns } from './support.ts'

const sync: Durability = { ...groupCommit, mode: 'sync' }
const group = groupCommit
/** Seed 003's constants. */
const async: Durability = { ...groupCommit, mode: 'async', recordsMax: 1000, delayMsMax: 20 }

interface Scene {
  readonly store: Store
  readonly logs: readonly PartitionLog[]
  readonly clock: ManualClock
  readonly disk: FaultyDisk
  /** Lets the sync that is being held go on. */
  letGo(): void
  /** How many syncs of the log are held. */
  held(): number
}

/** Three partitions in one shard, on a disk whose syncs are held back and with time that stands still. */
async function begin(options: Partial<StoreOptions> = {}): Promise<Scene> {
  let store!: Store
  // Registered first, so that the disk has let go of everything when it runs.
  onTestFinished(async () => {
    expect(await audit(store)).toEqual([])
    await store.close()
  })
  const clock = new ManualClock()
  const { disk, letGo, held } = heldDisk()
  store = await openTestStore({ disk, clock, ...options })
  const logs = [1, 2, 3].map(id => store.create(id, { createdAt: store.startCount }))
  store.dropUnknown()
  return { store, logs, clock, disk, letGo, held }
}

/** Whether each has been answered by now. */
async function answered(...appends: readonly Appended[]): Promise<boolean[]> {
  await turns()
  const states = appends.map(() => false)
  appends.forEach(({ committed }, index) => void committed.then(() => (states[index] = true)))
  await turns(1)
  return states
}

function records(count: number): Buffer {
  return batchOf(Array.from({ length: count }, () => 'x'))
}

describe('sync mode', () => {
  test('gives each produce a sync of its own, in order', async () => {
    const { logs, disk, letGo, held } = await begin()
    const appends = [0, 1, 0].map(which => logs[which]!.append(records(1), { durability: sync }))
    expect(new Set(appends.map(({ epoch }) => epoch)).size).toBe(3)
    for (const done of [1, 2, 3]) {
      expect(await answered(...appends)).toEqual(appends.map((_, index) => index < done - 1))
      expect(held()).toBe(1)
      letGo()
    }
    expect(await answered(...appends)).toEqual([true, true, true])
    expect([disk.count('write', '.log'), disk.count('sync', '.log')]).toEqual([3, 3])
    expect(logs.map(({ highWatermark }) => highWatermark)).toEqual([2n, 1n, 0n])
  })

  test('gives the parts of one produce the same sync', async () => {
    const { store, logs, disk, letGo } = await begin()
    const produce = (): readonly Appended[] =>
      store.appendBatch(
        logs.map(log => ({ log, batch: records(2) })),
        sync,
      ) as Appended[]
    const first = produce()
    const second = produce()
    expect(new Set(first.map(({ epoch }) => epoch)).size).toBe(1)
    expect(first[0]!.epoch).not.toBe(second[0]!.epoch)
    await turns()
    letGo()
    expect(await answered(...first, ...second)).toEqual([true, true, true, false, false, false])
    letGo()
    await store.flushed()
    expect(disk.count('sync', '.log')).toBe(2)
  })

  test('takes along what was waiting for a block already', async () => {
    const { logs, letGo, held } = await begin()
    const appends = [
      logs[0]!.append(records(1), { durability: async }),
      logs[1]!.append(records(1), { durability: group }),
      logs[2]!.append(records(1), { durability: sync }),
      logs[1]!.append(records(1), { durability: group }),
    ]
    expect(appends.map(({ epoch }) => epoch)).toEqual([1, 1, 1, 2])
    await turns()
    letGo()
    expect(await answered(...appends)).toEqual([true, true, true, false])
    expect(held()).toBe(1)
    letGo()
  })
})

describe('group mode', () => {
  test('answers when the block is synced, and gathers in the next what comes meanwhile', async () => {
    const { logs, letGo } = await begin()
    const first = logs[0]!.append(records(1), { durability: group })
    await turns()
    const rest = Array.from({ length: 3000 }, () => logs[1]!.append(records(1), { durability: group }))
    expect(await answered(first)).toEqual([false])
    letGo()
    expect(await answered(first, ...rest.slice(0, 2))).toEqual([true, false, false])
    expect(new Set(rest.map(({ epoch }) => epoch))).toEqual(new Set([2]))
    letGo()
  })

  test('waits for the volume or the time that somebody has set', async () => {
    const { logs, clock, letGo, held } = await begin()
    const durability: Durability = { ...group, recordsMax: 10, delayMsMax: 20 }
    const byTime = logs[0]!.append(records(3), { durability })
    await clock.advance(19)
    expect(held()).toBe(0)
    await clock.advance(1)
    expect([await answered(byTime), held()]).toEqual([[false], 1])
    letGo()
    expect(await answered(byTime)).toEqual([true])
    const byVolume = [4, 6].map(count => logs[0]!.append(records(count), { durability }))
    expect([await answered(...byVolume), held()]).toEqual([[false, false], 1])
    letGo()
    expect(await answered(...byVolume)).toEqual([true, true])
    expect(clock.timerCount).toBe(0)
  })

  test('never lets a coordinator wait for the time that is set', async () => {
    const { logs, letGo, held } = await begin()
    const slow = logs[0]!.append(records(1), { durability: { ...group, delayMsMax: 1000 } })
    const prompt = logs[1]!.append(records(1))
    await turns()
    expect([held(), slow.epoch]).toEqual([1, prompt.epoch])
    letGo()
    expect(await answered(slow, prompt)).toEqual([true, true])
  })
})

describe('async mode', () => {
  test('answers at once, shows what is written, and syncs behind', async () => {
    const { logs, clock, disk, letGo, held } = await begin()
    let wakes = 0
    logs[0]!.onAdvance(() => wakes++)
    const append = logs[0]!.append(records(3), { durability: async })
    expect(await answered(append)).toEqual([true])
    expect([logs[0]!.logEndOffset, logs[0]!.highWatermark, disk.count('write', '.log')]).toEqual([3n, 0n, 0])
    await clock.advance(20)
    await turns()
    expect([logs[0]!.highWatermark, wakes, disk.count('write', '.log'), held()]).toEqual([3n, 1, 1, 1])
    expect(logs[0]!.syncedOffset).toBe(0)
    expect((await readAll(logs[0]!)).length).toBe(records(3).length)
    letGo()
    await turns()
    expect([logs[0]!.syncedOffset, logs[0]!.highWatermark, wakes]).toEqual([3, 3n, 1])
  })

  test('writes as soon as there are so many records, however few entries they are', async () => {
    const { logs, clock, held, letGo } = await begin()
    logs[0]!.append(records(999), { durability: async })
    await turns()
    expect(held()).toBe(0)
    logs[1]!.append(records(1), { durability: async })
    await turns()
    expect([held(), clock.timerCount]).toEqual([1, 0])
    letGo()
  })

  test('writes as soon as there are so many bytes', async () => {
    const { logs, held, letGo } = await begin({ blockBytes: 5000 })
    logs[0]!.append(batchOf(['x'.repeat(3000)]), { durability: async })
    await turns()
    expect(held()).toBe(0)
    logs[0]!.append(batchOf(['x'.repeat(3000)]), { durability: async })
    await turns()
    expect(held()).toBe(1)
    letGo()
  })

  test('drains what is left of a burst after its delay, counted from the first of it', async () => {
    const { logs, clock, held, letGo } = await begin()
    logs[0]!.append(records(1000), { durability: async })
    await turns()
    logs[0]!.append(records(1), { durability: async })
    await clock.advance(15)
    logs[0]!.append(records(1), { durability: async })
    expect(held()).toBe(1)
    letGo()
    await clock.advance(4)
    await turns()
    expect(held()).toBe(0)
    await clock.advance(1)
    await turns()
    expect([held(), logs[0]!.highWatermark]).toEqual([1, 1002n])
    letGo()
  })

  test('waits as short as the most impatient topic in the block', async () => {
    const { logs, clock, held, letGo } = await begin()
    logs[0]!.append(records(1), { durability: async })
    logs[1]!.append(records(1), { durability: { ...async, delayMsMax: 5 } })
    logs[2]!.append(records(1), { durability: { ...async, delayMsMax: 10 } })
    await clock.advance(5)
    await turns()
    expect([held(), clock.timerCount]).toEqual([1, 0])
    letGo()
  })

  test('leaves no more acknowledged and unsynced records of a partition than it may', async () => {
    const { logs, letGo, held } = await begin()
    const durability: Durability = { ...async, unsyncedRecordsMax: 10 }
    const append = (count: number): Appended => logs[0]!.append(records(count), { durability })
    expect(await answered(append(4), append(5))).toEqual([true, true])
    expect(await answered(logs[1]!.append(records(9), { durability }))).toEqual([true])
    expect(held()).toBe(0)
    const tenth = append(1)
    expect([await answered(tenth), held()]).toEqual([[false], 1])
    const eleventh = append(1)
    letGo()
    expect(await answered(tenth, eleventh)).toEqual([true, false])
    letGo()
    expect(await answered(eleventh)).toEqual([true])
    expect(await answered(append(9))).toEqual([true])
  })

  test('is as slow as sync where not one record may be left behind', async () => {
    const { logs, letGo } = await begin()
    const append = logs[0]!.append(records(1), { durability: { ...async, unsyncedRecordsMax: 1 } })
    expect(await answered(append)).toEqual([false])
    letGo()
    expect(await answered(append)).toEqual([true])
  })

  test('shows nothing early of a partition that somebody waits for in the same block', async () => {
    const { logs, letGo } = await begin()
    logs[0]!.append(records(1), { durability: async })
    logs[1]!.append(records(1), { durability: async })
    logs[1]!.append(records(1), { durability: group })
    await turns()
    expect(logs.map(({ highWatermark }) => highWatermark)).toEqual([1n, 0n, 0n])
    letGo()
    await turns()
    expect(logs.map(({ highWatermark }) => highWatermark)).toEqual([1n, 2n, 0n])
  })

  test('answers a retry at once, and a retry that asks for more once it is synced', async () => {
    const { logs, letGo } = await begin()
    const batch = batchOf(['a'], { producerId: 7n, producerEpoch: 0, baseSequence: 0 })
    logs[0]!.append(batch, { durability: async })
    const again = logs[0]!.append(batch, { durability: async })
    const patient = logs[0]!.append(batch, { durability: group })
    expect([again.isDuplicate, patient.isDuplicate]).toEqual([true, true])
    expect(await answered(again, patient)).toEqual([true, false])
    letGo()
    expect(await answered(patient)).toEqual([true])
  })

  test('commits what is waiting when the store is flushed or closed', async () => {
    const disk = new FaultyDisk()
    const clock = new ManualClock()
    const open = async (): Promise<{ store: Store; log: PartitionLog }> => {
      const store = await openTestStore({ disk, clock })
      return { store, log: store.create(1, { createdAt: 1 }) }
    }
    const { store, log } = await open()
    log.append(records(1), { durability: async })
    await store.flushed()
    expect(log.syncedOffset).toBe(1)
    log.append(records(1), { durability: async })
    await store.close()
    expect(clock.timerCount).toBe(0)
    const after = await open()
    expect(after.log.highWatermark).toBe(2n)
    await after.store.close()
  })

  test('refuses what comes after a sync that failed', async () => {
    const disk = new FaultyDisk()
    const store = await openTestStore({ disk })
    const log = store.create(1, { createdAt: store.startCount })
    disk.before = (operation, name) => {
      if (operation === 'sync' && name.endsWith('.log')) throw systemError('EIO')
    }
    const { committed, epoch } = log.append(records(1), { durability: async })
    await committed
    await expect(log.flushed(epoch)).rejects.toThrow(/EIO/)
    expect(() => log.append(records(1), { durability: async })).toThrow(KafkaError)
    await expect(log.flushed(epoch)).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    await store.close()
  })
})

describe('the face of a write-ahead log', () => {
  test('numbers the entries of a batch in one range, refused ones left out', async () => {
    const { store, logs } = await begin({ disk: new FaultyDisk() })
    const first = logs[0]!.append(records(1))
    const skipped = batchOf(['a'], { producerId: 7n, producerEpoch: 0, baseSequence: 5 })
    const good = batchOf(['a'], { producerId: 7n, producerEpoch: 0, baseSequence: 0 })
    const entries = [records(1), good, skipped, records(2)].map((batch, index) => ({
      log: logs[index % 2]!,
      batch,
    }))
    store.appendBatch([{ log: logs[0]!, batch: good }])
    const outcomes = store.appendBatch(entries)
    const lsns = outcomes.map(outcome => (outcome instanceof KafkaError ? outcome.error : outcome.lsn))
    expect(first.lsn).toBe(1)
    expect(lsns).toEqual([3, 4, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 5])
    await store.flushed()
  })

  test('resolves a commit epoch when its block is synced, and commits it for who waits', async () => {
    const { logs, letGo, held } = await begin()
    const first = logs[0]!.append(records(1), { durability: async })
    const waiting = [logs[0]!.flushed(first.epoch), logs[1]!.flushed(first.epoch)]
    await turns()
    expect(held()).toBe(1)
    const second = logs[0]!.append(records(1), { durability: async })
    expect(second.epoch).toBe(first.epoch + 1)
    letGo()
    await Promise.all(waiting)
    expect([logs[0]!.syncedOffset, held()]).toEqual([1, 0])
    await logs[0]!.flushed(first.epoch)
    const last = logs[0]!.flushed(second.epoch)
    await turns()
    letGo()
    await last
    expect(logs[0]!.syncedOffset).toBe(2)
  })
})

test('is congested by records where they are limited, and relieved at half of both limits', async () => {
  const { store, logs, letGo } = await begin({ backlogRecordsMax: 5000, backlogBytesMax: 1e6 })
  for (let round = 0; round < 5; round++) {
    logs[0]!.append(records(1000), { durability: round < 2 ? sync : async })
    expect(store.isCongested).toBe(false)
  }
  logs[0]!.append(records(1), { durability: async })
  expect(store.isCongested).toBe(true)
  let relieved = 0
  store.onceRelieved(() => relieved++)
  for (const isCongested of [true, true, false]) {
    await turns()
    letGo()
    await turns()
    expect([store.isCongested, relieved]).toEqual([isCongested, isCongested ? 0 : 1])
  }
})
