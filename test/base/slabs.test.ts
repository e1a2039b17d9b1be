import { expect, test } from 'vitest'
import { Slabs, type Region } from '../../src/base/slabs.ts'
import { ManualClock } from '../support/manual-clock.ts'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** The memory that a region lies in, whoever has it. */
function memoryOf({ bytes }: Region): ArrayBufferLike {
  return bytes.buffer
}

test('memory that came back is taken again, also for somewhat less', () => {
  const slabs = new Slabs(8 * mebibyte)
  const first = slabs.take(mebibyte + 100)
  const memory = memoryOf(first)
  first.release()
  const second = slabs.take(mebibyte)
  expect(memoryOf(second)).toBe(memory)
  second.release()
  const small = slabs.take(400 * kibibyte)
  expect(memoryOf(small)).not.toBe(memory)
})

test('a region takes a quarter more than its length at most', () => {
  for (const length of [300 * kibibyte, mebibyte + 1, 1_500_000, 5 * mebibyte + 7]) {
    const slabs = new Slabs(8 * mebibyte)
    const region = slabs.take(length)
    expect(region.bytes.length).toBe(length)
    expect(slabs.takenLength).toBeGreaterThanOrEqual(length)
    expect(slabs.takenLength).toBeLessThan(length * 1.25)
  }
})

test('memory of a length that nobody wants any more gives way to what is in use', () => {
  const slabs = new Slabs(4 * mebibyte)
  const unwanted = Array.from({ length: 4 }, () => slabs.take(mebibyte))
  for (const region of unwanted) region.release()
  const first = slabs.take(3 * mebibyte)
  const memory = memoryOf(first)
  first.release()
  expect(memoryOf(slabs.take(3 * mebibyte))).toBe(memory)
})

test('what comes back beyond the bound is not kept', () => {
  const slabs = new Slabs(4 * mebibyte)
  const regions = Array.from({ length: 6 }, () => slabs.take(mebibyte))
  const memories = regions.map(memoryOf)
  for (const region of regions) region.release()
  expect(slabs.takenLength).toBe(0)
  const again = Array.from({ length: 6 }, () => memoryOf(slabs.take(mebibyte)))
  expect(again.filter(memory => memories.includes(memory))).toHaveLength(4)
})

test('three regions longer than the bound are kept, and no fourth', () => {
  const slabs = new Slabs(2 * mebibyte)
  const regions = Array.from({ length: 4 }, () => slabs.take(8 * mebibyte))
  const memories = regions.map(memoryOf)
  for (const region of regions) region.release()
  const again = Array.from({ length: 4 }, () => memoryOf(slabs.take(8 * mebibyte)))
  expect(again.filter(memory => memories.includes(memory))).toHaveLength(3)
})

test('what nobody takes again within seconds is given up, the rest is kept', async () => {
  const clock = new ManualClock()
  const slabs = new Slabs(8 * mebibyte, clock)
  const [early, late] = [slabs.take(mebibyte), slabs.take(mebibyte)]
  const [earlyMemory, lateMemory] = [memoryOf(early), memoryOf(late)]
  early.release()
  await clock.advance(1500)
  late.release()
  await clock.advance(500)
  const taken = [slabs.take(mebibyte), slabs.take(mebibyte)].map(memoryOf)
  expect(taken).toContain(lateMemory)
  expect(taken).not.toContain(earlyMemory)
})

test('memory that is used again and again is never given up, and all of it once nothing is used', async () => {
  const clock = new ManualClock()
  const slabs = new Slabs(8 * mebibyte, clock)
  const memories = new Set<ArrayBufferLike>()
  for (let second = 0; second < 10; second++) {
    const region = slabs.take(mebibyte)
    memories.add(memoryOf(region))
    region.release()
    await clock.advance(1000)
  }
  expect(memories.size).toBe(1)
  await clock.advance(4000)
  expect(memories.has(memoryOf(slabs.take(mebibyte)))).toBe(false)
})
