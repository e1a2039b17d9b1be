import { expect, test } from 'vitest'
import { TransactionWalk } from '../../../src/storage/compaction/transaction-walk.ts'
import { batchAt, markerAt, transactional } from './support.ts'

test('data is of no use within an aborted transaction of its producer, before and behind it is', () => {
  const walk = new TransactionWalk([
    { producerId: 7n, firstOffset: 30, lastOffset: 35 },
    { producerId: 7n, firstOffset: 10, lastOffset: 15 },
    { producerId: 8n, firstOffset: 0, lastOffset: 100 },
  ])
  const passes = (offset: number): boolean => walk.pass(batchAt(offset, ['a=1'], transactional))
  const aborted = [8, 10, 12, 14, 16, 29, 30, 34, 36].filter(passes)
  expect(aborted).toEqual([10, 12, 14, 30, 34])
})

test('what is not transactional is never aborted, whoever wrote it', () => {
  const walk = new TransactionWalk([{ producerId: 7n, firstOffset: 0, lastOffset: 9 }])
  expect(walk.pass(batchAt(3, ['a=1'], { ...transactional, isTransactional: false }))).toBe(false)
})

test.each(['COMMIT', 'ABORT'] as const)('a %s marker is of use as long as there is data before it', type => {
  const walk = new TransactionWalk()
  walk.pass(batchAt(0, ['a=1'], transactional))
  walk.pass(batchAt(1, ['b=1'], { ...transactional, producerId: 8n }))
  expect(walk.pass(markerAt(2, type))).toBe(false)
  expect(walk.pass(markerAt(3, type))).toBe(true)
})

test('a marker whose transaction was aborted outlives the data that this walk met', () => {
  const walk = new TransactionWalk([{ producerId: 7n, firstOffset: 0, lastOffset: 1 }])
  expect(walk.pass(batchAt(0, ['a=1'], transactional))).toBe(true)
  expect(walk.pass(markerAt(1, 'ABORT'))).toBe(false)
})

test('a control batch of no transaction always stays', () => {
  expect(new TransactionWalk().pass(batchAt(0, ['a=1'], { isControl: true }))).toBe(false)
})
