import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { CoordinatorLog } from '../../src/storage/coordinator-log.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { openTestStore } from './support.ts'

async function replayed(log: CoordinatorLog): Promise<unknown[]> {
  const seen: unknown[] = []
  await log.replay((key, value, offset, timestamp) => {
    seen.push([key && key.toString(), value && value.toString(), offset, timestamp])
  })
  return seen
}

test('replays what was appended, in order, after a restart too', async () => {
  const disk = memoryDisk()
  let store = await openTestStore({ disk, segmentBytes: 2000, tailBytesMax: 0 })
  let partition = store.create(3, { createdAt: 1 })
  let log = new CoordinatorLog(partition)
  expect(await replayed(log)).toEqual([])
  const expected = []
  for (let round = 0; round < 60; round++) {
    const records = [
      { key: Buffer.from(`key ${round}`), value: Buffer.from(`value ${round}`) },
      { key: null, value: null },
    ]
    const appended = log.append(records, BigInt(round))
    expect(log.lastPending).toBe(appended)
    const offset = BigInt(2 * round)
    expected.push(
      [`key ${round}`, `value ${round}`, offset, BigInt(round)],
      [null, null, offset + 1n, BigInt(round)],
    )
  }
  await log.lastPending
  expect(partition.highWatermark).toBe(120n)
  expect(await replayed(log)).toEqual(expected)
  await store.close()
  store = await openTestStore({ disk, segmentBytes: 2000, tailBytesMax: 0 })
  partition = store.create(3, { createdAt: 1 })
  partition.deleteBefore(7n)
  log = new CoordinatorLog(partition)
  expect(await replayed(log)).toEqual(expected.slice(7))
  await log.lastPending
  await store.close()
})

test('has nobody wait for an append that has failed already', async () => {
  const disk = new FaultyDisk()
  const store = await openTestStore({ disk })
  const log = new CoordinatorLog(store.create(3, { createdAt: 1 }))
  disk.before = operation => {
    if (operation === 'sync') throw systemError('EIO')
  }
  const appended = log.append([{ key: Buffer.from('key'), value: null }], 1n)
  const waiting = log.lastPending
  await expect(appended).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  await expect(waiting).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  await expect(log.lastPending).resolves.toBeUndefined()
  await store.close()
})
