import { describe, expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { seededRandom } from '../../src/base/random.ts'
import { BitmapMmapSequencer } from '../../src/sequencers/bitmap-mmap.ts'
import { CheckpointSequencer } from '../../src/sequencers/checkpoint.ts'
import { FixedMmapSequencer } from '../../src/sequencers/fixed-mmap.ts'
import { SequencerFolder } from '../../src/sequencers/folder.ts'
import { Scheduler } from '../simulation/scheduler.ts'
import { SimulatedDisk } from '../simulation/simulated-disk.ts'

const usedUp = { name: 'SequencerError', reason: 'used up' }

test('a bitmap hands out as many numbers as it has bits, and more once it is opened with more', async () => {
  const disk = memoryDisk()
  const small = await BitmapMmapSequencer.open(disk, 'counter', { capacity: 10 })
  expect(await small.reserve(15)).toBe(0n)
  await expect(small.reserve(2)).rejects.toMatchObject(usedUp)
  expect(await small.next()).toBe(15n)
  await expect(small.next()).rejects.toMatchObject(usedUp)
  await small.close()
  const large = await BitmapMmapSequencer.open(disk, 'counter', { capacity: 17 })
  expect(await large.next()).toBe(16n)
  await large.close()
})

test.each([
  ['checkpoint', CheckpointSequencer.open],
  ['fixed mmap', FixedMmapSequencer.open],
] as const)('a %s counter ends with int64', async (_name, open) => {
  const sequencer = await open(memoryDisk(), 'counter')
  for (let part = 0; part < 1023; part++) await sequencer.reserve(2 ** 53 - 1)
  await sequencer.reserve(2 ** 53 - 1)
  expect(await sequencer.reserve(1022)).toBe(2n ** 63n - 1024n)
  await expect(sequencer.reserve(2)).rejects.toMatchObject(usedUp)
  expect(await sequencer.next()).toBe(2n ** 63n - 2n)
  await expect(sequencer.next()).rejects.toMatchObject(usedUp)
  await sequencer.close()
})

describe('a damaged file', () => {
  test.each(['', '12', '-1\n', '1e3\n', '99999999999999999999\n', '9223372036854775808\n'])(
    'of a checkpoint, "%s", is not taken for a new counter',
    async text => {
      const disk = memoryDisk()
      await disk.replace('counter', Buffer.from(text))
      await expect(CheckpointSequencer.open(disk, 'counter')).rejects.toMatchObject({ reason: 'damaged' })
    },
  )

  test('of a fixed counter is told by its copies', async () => {
    const disk = memoryDisk()
    const sequencer = await FixedMmapSequencer.open(disk, 'counter')
    for (let number = 0n; number < 3n; number++) expect(await sequencer.next()).toBe(number)
    await sequencer.close()
    const sound = (await disk.read('counter'))!
    for (let bit = 0; bit < 4 * 128; bit++) {
      // Each of the 128 bits of its four copies, which are a sector apart.
      const at = Math.floor(bit / 128) * 512 + Math.floor((bit % 128) / 8)
      const bytes = Buffer.from(sound)
      bytes[at]! ^= 1 << (bit & 7)
      await disk.replace('counter', bytes)
      const again = await FixedMmapSequencer.open(disk, 'counter')
      // One wrong bit costs a copy at most, and no copy says more than was handed out.
      expect([2n, 3n]).toContain(again.value)
      await again.close()
    }
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(sound.length), sound.subarray(1)]) {
      await disk.replace('counter', bytes)
      await expect(FixedMmapSequencer.open(disk, 'counter')).rejects.toMatchObject({ reason: 'damaged' })
    }
  })
})

test.each([
  ['bitmap', (disk: SimulatedDisk) => BitmapMmapSequencer.open(disk, 'counter', { capacity: 100 })],
  ['fixed counter', (disk: SimulatedDisk) => FixedMmapSequencer.open(disk, 'counter')],
])('a full disk is an error as a mapped %s is opened, and room made later is used', async (_name, open) => {
  const scheduler = new Scheduler()
  let isFull = true
  const disk = new SimulatedDisk({
    life: scheduler.live(),
    random: seededRandom(1),
    faultOf: ({ kind }) => (isFull && kind === 'write' ? 'ENOSPC' : undefined),
  })
  await expect(scheduler.until(open(disk))).rejects.toMatchObject({
    name: 'SequencerError',
    reason: 'disk full',
    message: expect.stringContaining('ENOSPC'),
  })
  isFull = false
  const sequencer = await scheduler.until(open(disk))
  // Nothing is written any more but memory that has its place on the disk.
  isFull = true
  expect(await scheduler.until(sequencer.reserve(50))).toBe(0n)
})

describe('a folder of sequencers', () => {
  test('has one owner, and a name in it opens once', async () => {
    const disk = memoryDisk()
    const folder = await SequencerFolder.on(disk)
    await expect(SequencerFolder.on(disk)).rejects.toMatchObject({ name: 'StorageInUseError' })
    const [opened, refused] = await Promise.allSettled([folder.obelisk('a'), folder.checkpoint('a')])
    expect(opened.status).toBe('fulfilled')
    expect(refused).toMatchObject({ reason: { name: 'SequencerError', reason: 'in use' } })
    await folder.close()
    const next = await SequencerFolder.on(disk)
    expect((await next.obelisk('a')).value).toBe(0n)
    await next.close()
  })

  test.each(['', 'lock', '../a', 'a/b', '.hidden'])('has no sequencer named "%s"', async name => {
    const folder = await SequencerFolder.on(memoryDisk())
    await expect(folder.obelisk(name)).rejects.toThrow(RangeError)
    await folder.close()
  })
})
