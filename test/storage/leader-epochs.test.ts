import { expect, test } from 'vitest'
import { LeaderEpochs } from '../../src/storage/leader-epochs.ts'

function epochs(): LeaderEpochs {
  const noted = new LeaderEpochs()
  for (const [epoch, offset] of [
    [2, 0],
    [2, 5],
    [4, 10],
    [7, 20],
  ] as const)
    noted.note(epoch, offset)
  return noted
}

// LeaderEpochFileCacheTest: the greatest epoch not above the one asked for, and the start of the one above it.
test('answers where an epoch ended as Kafka does', () => {
  const current = { epoch: 9, endOffset: 30 }
  const endOf = (epoch: number): [number, number] => {
    const end = epochs().endOf(epoch, current)
    return [end.epoch, end.endOffset]
  }
  expect(endOf(2)).toEqual([2, 10])
  expect(endOf(3)).toEqual([2, 10])
  expect(endOf(4)).toEqual([4, 20])
  expect(endOf(7)).toEqual([7, 30])
  expect(endOf(8)).toEqual([7, 30])
  expect(endOf(9)).toEqual([9, 30])
  expect(endOf(1)).toEqual([1, 0])
  expect(endOf(10)).toEqual([-1, -1])
  expect(endOf(-1)).toEqual([-1, -1])
})

test('knows nothing of other epochs than the current one in an empty log', () => {
  expect(new LeaderEpochs().endOf(0, { epoch: 3, endOffset: 0 })).toEqual({ epoch: 0, endOffset: 0 })
  expect(new LeaderEpochs().of(5)).toBe(-1)
})

test('forgets what was deleted', () => {
  const trimmed = epochs()
  trimmed.trim(12)
  expect(trimmed.entries).toEqual([
    { epoch: 4, startOffset: 12 },
    { epoch: 7, startOffset: 20 },
  ])
  trimmed.trim(30)
  expect(trimmed.entries).toEqual([{ epoch: 7, startOffset: 30 }])
  trimmed.note(8, 30)
  expect(trimmed.entries).toEqual([{ epoch: 8, startOffset: 30 }])
  expect(trimmed.of(31)).toBe(8)
})
