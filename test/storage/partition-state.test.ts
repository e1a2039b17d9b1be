import { expect, test } from 'vitest'
import { PartitionState } from '../../src/storage/partition-state.ts'

test('forgets the epochs before a log start that recovery finds higher than the checkpoint did', () => {
  const state = new PartitionState(1)
  state.nextOffset = 20
  state.epochs.note(1, 0)
  state.epochs.note(2, 14)
  state.settle()
  expect(state.logStart).toBe(20)
  expect(state.epochs.entries).toEqual([{ epoch: 2, startOffset: 20 }])
})
