import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { ObeliskSequencer } from '../../src/sequencers/obelisk.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'

test('counts from 0 by the size of its file, restarts included', async () => {
  const disk = new FaultyDisk()
  let sequencer = await ObeliskSequencer.open(disk, 'counter')
  expect([await sequencer.next(), await sequencer.next(), await sequencer.reserve(10)]).toEqual([0n, 1n, 2n])
  expect(sequencer.value).toBe(12n)
  await sequencer.close()
  expect(disk.get('counter').length).toBe(12)
  sequencer = await ObeliskSequencer.open(disk, 'counter')
  expect(await sequencer.next()).toBe(12n)
  await sequencer.close()
})

test('lets calls made at once share a sync, without a gap or a repetition', async () => {
  const disk = new FaultyDisk()
  const sequencer = await ObeliskSequencer.open(disk, 'counter')
  const numbers = await Promise.all(Array.from({ length: 1000 }, () => sequencer.next()))
  expect(numbers).toEqual(Array.from({ length: 1000 }, (_, index) => BigInt(index)))
  expect(disk.count('sync', 'counter')).toBe(1)
  await sequencer.close()
})

test('hands out numbers without a sync as far as it is ahead, and gives back what it did not need', async () => {
  const disk = new FaultyDisk()
  const sequencer = await ObeliskSequencer.open(disk, 'counter', { ahead: 10 })
  for (let number = 0n; number < 11n; number++) expect(await sequencer.next()).toBe(number)
  expect(disk.count('sync', 'counter')).toBe(1)
  expect(disk.get('counter').length).toBe(11)
  expect(await sequencer.next()).toBe(11n)
  expect(disk.count('sync', 'counter')).toBe(2)
  expect(disk.get('counter').length).toBe(22)
  await sequencer.close()
  expect(disk.get('counter').length).toBe(12)
  await expect(ObeliskSequencer.open(disk, 'counter', { ahead: -1 })).rejects.toThrow(RangeError)
})

test('hands out nothing that a crash could hand out again', async () => {
  const random = seededRandom(42)
  let disk = new FaultyDisk()
  let last = -1n
  for (let round = 0; round < 50; round++) {
    const sequencer = await ObeliskSequencer.open(disk, 'counter')
    let crashed: FaultyDisk | undefined
    const calls = Array.from({ length: 5 }, async () => {
      const number = await sequencer.reserve(1 + random.below(4))
      if (crashed) return
      expect(number).toBeGreaterThan(last)
      last = number
    })
    for (let turn = random.below(6); turn > 0; turn--)
      await new Promise(resolve => void setImmediate(resolve))
    crashed = disk.crash(random)
    await Promise.all(calls)
    disk = crashed
  }
  expect(last).toBeGreaterThan(0n)
})

test('says in one line why it cannot count on', async () => {
  const disk = new FaultyDisk()
  const sequencer = await ObeliskSequencer.open(disk, 'counter')
  disk.before = operation => {
    if (operation === 'sync') throw systemError('ENOSPC')
  }
  await expect(sequencer.next()).rejects.toMatchObject({
    name: 'SequencerError',
    message: /^counter: .* ENOSPC /,
  })
  disk.before = () => {}
  // The number that failed is lost, not given to another.
  expect(await sequencer.next()).toBe(1n)
  await expect(sequencer.reserve(2 ** 45)).rejects.toMatchObject({ name: 'SequencerError' })
  expect(await sequencer.next()).toBe(2n)
  await sequencer.close()
})
