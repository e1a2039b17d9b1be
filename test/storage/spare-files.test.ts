import { expect, onTestFinished, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { audit } from '../../src/storage/audit.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { Store, StoreOptions } from '../../src/storage/store.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { batchOf, openTestStore, readAll } from './support.ts'

const segmentBytes = 4000
const options = { segmentBytes, blockBytes: 600, tailBytesMax: 1000 }

interface Scene {
  readonly disk: FaultyDisk
  readonly store: Store
  readonly log: PartitionLog
}

async function open(disk: FaultyDisk, more: Partial<StoreOptions> = {}): Promise<Scene> {
  const store = await openTestStore({ disk, ...options, ...more })
  const log = store.create(1, { createdAt: 1 })
  store.dropUnknown()
  return { disk, store, log }
}

function append({ log }: Scene, text: string): Promise<void> {
  return log.append(batchOf([`${text} `.repeat(40).slice(0, 250)])).committed
}

/** Appends until there is another newest segment. */
async function fillSegment(scene: Scene, text: string): Promise<void> {
  const { segments } = scene.store.shards[0]!
  if (segments.length === 0) await append(scene, text)
  const before = segments.at(-1)
  while (segments.at(-1) === before) await append(scene, text)
}

/** Deletes everything and waits until the dead segments are gone; then there are so many spare files. */
async function deleteAll({ disk, log, store }: Scene, spareCount: number): Promise<void> {
  log.deleteBefore(log.highWatermark)
  await expect.poll(() => store.shards[0]!.segments.length).toBe(1)
  await expect.poll(() => disk.names('.spare').length).toBe(spareCount)
}

/** A store whose newest segment lies in a file that was used before, with two blocks of its own. */
async function reused(disk = new FaultyDisk()): Promise<Scene> {
  const scene = await open(disk)
  await fillSegment(scene, 'first')
  await deleteAll(scene, 1)
  await fillSegment(scene, 'between')
  await append(scene, 'new')
  expect(scene.disk.names('.spare')).toEqual([])
  return scene
}

function newestLog({ disk }: Scene): string {
  return disk.names('.log').at(-1)!
}

test('writes into the file of a dead segment instead of growing another', async () => {
  const scene = await reused()
  const { disk, store, log } = scene
  const bytes = disk.get(newestLog(scene))
  expect(bytes.length).toBeGreaterThan(segmentBytes)
  expect(store.shards[0]!.segments.at(-1)!.size).toBeLessThan(1000)
  expect(bytes.includes('new new')).toBe(true)
  expect(bytes.includes('first first')).toBe(true)
  expect(await audit(store)).toEqual([])
  expect((await readAll(log)).includes('first')).toBe(false)
  const name = newestLog(scene)
  await fillSegment(scene, 'last')
  await expect.poll(() => store.shards[0]!.segments.at(-2)!.isClosed).toBe(true)
  expect(await audit(store)).toEqual([])
  expect(disk.get(name).includes('first')).toBe(false)
  await store.close()
})

test('cuts off what is left of the earlier use when it is closed', async () => {
  const scene = await reused()
  const name = newestLog(scene)
  const { size } = scene.store.shards[0]!.segments.at(-1)!
  await scene.store.close()
  expect(scene.disk.get(name).length).toBe(size)
})

test('recovers what was written into a used file, and neither its old blocks nor its old footer', async () => {
  const scene = await reused()
  const expected = await readAll(scene.log)
  // The footer of the earlier use ends the file, as a footer of its own would.
  expect(scene.disk.get(newestLog(scene)).toString('latin1').slice(-64, -60)).toBe('ODRT')
  const killed = await open(scene.disk.copy())
  expect(await readAll(killed.log)).toEqual(expected)
  expect(killed.store.faults).toEqual([])
  expect(await audit(killed.store)).toEqual([])
  await append(killed, 'after')
  await killed.store.close()
  const again = await open(killed.disk)
  expect(again.log.logEndOffset).toBe(scene.log.logEndOffset + 1n)
  await again.store.close()
  await scene.store.close()
})

test('recovers when nothing was written yet into the used file', async () => {
  const disk = new FaultyDisk()
  let killed: FaultyDisk | undefined
  disk.before = (operation, name) => {
    const isFirst = operation === 'write' && name.endsWith('.log') && disk.count('write', name) === 1
    if (isFirst && disk.count('rename', '.spare') > 0) killed = disk.copy()
  }
  const scene = await reused(disk)
  await scene.store.close()
  const { store, log } = await open(killed!)
  expect(killed!.get(newestLog(scene))).toHaveLength(0)
  expect(store.faults).toEqual([])
  expect(log.logEndOffset).toBe(scene.log.logEndOffset - 2n)
  expect(await audit(store)).toEqual([])
  await store.close()
})

test('tells damage to synced blocks of a used file from what is left of the earlier use', async () => {
  const scene = await reused()
  await append(scene, 'more')
  await append(scene, 'most')
  const disk = scene.disk.copy()
  await scene.store.close()
  const bytes = Buffer.from(disk.get(newestLog(scene)))
  bytes[200]! ^= 1
  disk.put(newestLog(scene), bytes)
  disk.files.delete('shard-0/anchor')
  const { store } = await open(disk)
  expect(store.faults).toHaveLength(1)
  expect(disk.get(newestLog(scene))).toEqual(bytes)
  await store.close()
})

test.each(Array.from({ length: 60 }, (_, seed) => seed))(
  'keeps what was acknowledged through a power cut while used files are written, seed %i',
  async seed => {
    const random = seededRandom(seed)
    const scene = await open(new FaultyDisk())
    let acknowledged = 0
    const kept = new Map<number, string>()
    const count = 20 + random.below(120)
    for (let index = 0; index < count; index++) {
      const text = `entry-${index}`
      kept.set(index, text)
      void append(scene, text).then(() => (acknowledged = index + 1))
      if (random.below(3) === 0) await scene.store.flushed()
      if (random.below(10) === 0) scene.log.deleteBefore(scene.log.highWatermark)
      if (random.below(4) === 0) await new Promise(resolve => void setImmediate(resolve))
    }
    const sure = acknowledged
    const { logStartOffset } = scene.log
    const after = await open(scene.disk.crash(random))
    await scene.store.flushed()
    await scene.store.close()
    after.log.deleteBefore(logStartOffset)
    expect(after.store.faults).toEqual([])
    expect(await audit(after.store)).toEqual([])
    expect(Number(after.log.logEndOffset)).toBeGreaterThanOrEqual(sure)
    const found = [...(await readAll(after.log)).toString('latin1').matchAll(/entry-\d+(?= entry)/g)]
    const texts = [...new Set(found.map(([text]) => text))]
    const end = Number(after.log.logEndOffset)
    expect(texts).toEqual([...kept.values()].slice(Number(after.log.logStartOffset), end))
    await after.store.close()
  },
)

test('keeps no more files than it may, none that are short, and those of an earlier start', async () => {
  const scene = await open(new FaultyDisk())
  for (let round = 0; round < 5; round++) await fillSegment(scene, 'x')
  await deleteAll(scene, 2)
  await scene.store.close()
  const second = await open(scene.disk, { segmentEntries: 2 })
  expect(scene.disk.names('.spare')).toHaveLength(2)
  await fillSegment(second, 'short')
  await fillSegment(second, 'short')
  await fillSegment(second, 'short')
  expect(scene.disk.names('.spare')).toEqual([])
  await deleteAll(second, 0)
  await second.store.close()
  const third = await open(scene.disk, { spareSegmentsMax: 1 })
  for (let round = 0; round < 4; round++) await fillSegment(third, 'x')
  await deleteAll(third, 1)
  await third.store.close()
  const none = await open(scene.disk, { spareSegmentsMax: 0 })
  expect(scene.disk.names('.spare')).toEqual([])
  await none.store.close()
})

test('never overwrites a file that somebody is reading', async () => {
  const scene = await open(new FaultyDisk())
  await fillSegment(scene, 'read')
  const [segment] = scene.store.shards[0]!.segments
  segment!.retain()
  onTestFinished(() => segment!.release())
  await deleteAll(scene, 0)
  await fillSegment(scene, 'y')
  const bytes = Buffer.alloc(segment!.size)
  await segment!.file.read(0, bytes)
  expect(bytes.includes('read read')).toBe(true)
  await scene.store.close()
})
