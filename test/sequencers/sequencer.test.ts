import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nodeDisk } from '../../src/base/disk.ts'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import type { MappableDisk } from '../../src/base/mapping.ts'
import { kinds } from './kinds.ts'

async function realDisk(): Promise<MappableDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-sequencer-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return nodeDisk(folder)
}

const disks: [string, () => Promise<MappableDisk>][] = [
  ['files', realDisk],
  ['memory', async () => memoryDisk()],
]

describe.each(disks)('on a disk of %s', (_name, makeDisk) => {
  describe.each(kinds)('$name', ({ open }) => {
    test('counts from 0, restarts included', async () => {
      const disk = await makeDisk()
      for (let round = 0; round < 5; round++) {
        const sequencer = await open(disk)
        const start = BigInt(round * 112)
        expect(sequencer.value).toBe(start)
        expect(await sequencer.next()).toBe(start)
        expect(await sequencer.reserve(110)).toBe(start + 1n)
        expect(await sequencer.reserve(0)).toBe(start + 111n)
        expect(await sequencer.next()).toBe(start + 111n)
        expect(sequencer.value).toBe(start + 112n)
        await sequencer.close()
      }
    })

    test('gives each of many calls at once a number of its own, and none is left out', async () => {
      const sequencer = await open(await makeDisk())
      const numbers: bigint[] = []
      const callers = Array.from({ length: 100 }, async () => {
        for (let call = 0; call < 10; call++) numbers.push(await sequencer.next())
      })
      await Promise.all(callers)
      expect(numbers.toSorted((a, b) => Number(a - b))).toEqual(
        Array.from({ length: 1000 }, (_, index) => BigInt(index)),
      )
      await sequencer.close()
    })

    test('hands out nothing once it is closed, and finishes what was asked for before', async () => {
      const sequencer = await open(await makeDisk())
      const last = sequencer.next()
      const closed = sequencer.close()
      await expect(sequencer.next()).rejects.toMatchObject({ name: 'SequencerError', reason: 'closed' })
      expect(await last).toBe(0n)
      await closed
      await sequencer.close()
    })

    test('refuses a count that is none', async () => {
      const sequencer = await open(await makeDisk())
      for (const count of [-1, 0.5, NaN, 2 ** 53]) {
        await expect(sequencer.reserve(count)).rejects.toThrow(RangeError)
      }
      expect(await sequencer.next()).toBe(0n)
      await sequencer.close()
    })
  })
})
