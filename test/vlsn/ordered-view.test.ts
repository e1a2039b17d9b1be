import { expect, onTestFinished, test } from 'vitest'
import type { Topic } from '../../src/broker/catalog.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { checkBatch } from '../../src/protocol/records/check.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import type { Store } from '../../src/storage/store.ts'
import { openCatalog } from '../cli/history.ts'
import { turns } from '../storage/support.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { batchOf, type Numbered } from './support.ts'

const mebibyte = 1024 * 1024

interface Scene {
  readonly store: Store
  readonly topic: Topic
  readonly clock: ManualClock
  remove(): Promise<void>
}

async function begin(partitionCount = 3): Promise<Scene> {
  const clock = new ManualClock()
  // Nothing stays in the tail cache, so that all that is read takes memory.
  const { store, catalog } = await openCatalog({ disk: new FaultyDisk(), clock, tailBytesMax: 0 })
  onTestFinished(async () => {
    await catalog.close()
    await store.close()
  })
  const configs = new Map([['odradek.partitioning', 'vlsn']])
  const topic = await catalog.ensure({ name: 't', partitionCount, configs })
  return { store, topic, clock, remove: async () => void (await catalog.deleteAll([topic.id])) }
}

/** Appends records, those of a partition in one batch. */
async function append({ topic, store }: Scene, records: readonly Numbered[]): Promise<void> {
  const count = topic.partitions.length
  for (let partition = 0; partition < count; partition++) {
    const own = records.filter(({ vlsn }) => Number(BigInt(vlsn) % BigInt(count)) === partition)
    if (own.length === 0) continue
    const { batch, body } = checkBatch(batchOf(own), { inside: true })
    topic.vlsn!.append(partition, { batch, body: body! }, {})
  }
  await store.flushed()
  await turns(3)
}

/** The VLSNs of the view with the lengths of their values, read so many bytes at once. */
async function read({ topic }: Scene, lengthMax: number): Promise<string[]> {
  const { view } = topic.vlsn!
  const seen: string[] = []
  for (let offset = view.logStartOffset; offset < view.highWatermark;) {
    const slice = await view.read(offset, { lengthMax, limit: view.highWatermark, atLeastOne: true })
    if (slice.length === 0) break
    if (slice.length > lengthMax) expect(slice.pieces.flatMap(piece => [...batchesIn(piece)])).toHaveLength(1)
    for (const batch of slice.pieces.flatMap(piece => [...batchesIn(piece)])) {
      expect(batch.isSound).toBe(true)
      for (const { offset: vlsn, key, value } of readRecords(batch)) {
        expect(key!.readBigInt64BE()).toBe(vlsn)
        if (vlsn >= offset) seen.push(`${vlsn}: ${value!.length}`)
      }
    }
    offset = slice.nextOffset
    slice.release()
  }
  return seen
}

test('shows records of any length, whatever a reader takes at once', async () => {
  const scene = await begin()
  const lengths = Array.from({ length: 400 }, (_, vlsn) => (vlsn % 50 === 7 ? 300_000 : (vlsn * 37) % 6000))
  const records = lengths.map((length, vlsn) => ({ vlsn, value: 'x'.repeat(length) }))
  // Batches of one record, of some, and of many.
  for (const [from, to] of [
    [0, 3],
    [3, 90],
    [90, 400],
  ])
    await append(scene, records.slice(from, to))
  const expected = lengths.map((length, vlsn) => `${vlsn}: ${length}`)
  for (const lengthMax of [1, 5000, 70_000, mebibyte, 64 * mebibyte])
    expect(await read(scene, lengthMax)).toEqual(expected)
})

test('shows VLSNs however far they are apart', async () => {
  const scene = await begin()
  const vlsns = [1n, 2n ** 31n, 2n ** 31n + 1n, 2n ** 40n, 2n ** 62n, 2n ** 62n + 2n, 2n ** 63n - 2n]
  let after = -1n
  for (const vlsn of vlsns) {
    await append(scene, [{ vlsn, value: '', after }])
    after = vlsn
  }
  await turns(20)
  const expected = vlsns.map(vlsn => `${vlsn}: 0`)
  for (const lengthMax of [1, mebibyte]) expect(await read(scene, lengthMax)).toEqual(expected)
})

test('gives back what it holds when nobody has read it for a while, and when its topic is gone', async () => {
  const scene = await begin()
  const { slabs } = scene.store
  await append(
    scene,
    Array.from({ length: 3000 }, (_, vlsn) => ({ vlsn, value: 'x'.repeat(1000) })),
  )
  // Until it is full, the slab for what is short is held by nobody else.
  const idle = slabs.takenLength + mebibyte
  for (let round = 0; round < 2; round++) {
    expect(await read(scene, mebibyte)).toHaveLength(3000)
    expect(slabs.takenLength).toBeGreaterThan(idle)
    await scene.clock.advance(10_000)
    expect(slabs.takenLength).toBeLessThanOrEqual(idle)
  }
  await read(scene, mebibyte)
  expect(slabs.takenLength).toBeGreaterThan(idle)
  await scene.remove()
  expect(slabs.takenLength).toBeLessThanOrEqual(idle)
})
