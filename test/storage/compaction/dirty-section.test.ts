import { expect, test } from 'vitest'
import { batchAt, markerAt, sectionOf, transactional } from './support.ts'

const key = (text: string): Buffer => Buffer.from(text)

test('a record is replaced by a later one of its key, in its own batch or another', () => {
  const section = sectionOf([batchAt(0, ['a=1', 'b=1', 'a=2']), batchAt(3, ['b', 'c=1'])])
  expect(section.isReplaced(key('a'), 0)).toBe(true)
  expect(section.isReplaced(key('a'), 2)).toBe(false)
  expect(section.isReplaced(key('b'), 1)).toBe(true)
  expect(section.isReplaced(key('c'), 4)).toBe(false)
})

test('the section ends where nothing may be cleaned, whatever gaps there are before', () => {
  const section = sectionOf([batchAt(0, ['a=1']), batchAt(5, ['a=2'])], { firstUncleanableOffset: 20 })
  expect(section.endOffset).toBe(20)
  expect(section.isCut).toBe(false)
})

test('records before the first dirty offset, and from the first uncleanable one on, replace nothing', () => {
  const batches = [batchAt(0, ['a=1', 'a=2', 'b=1', 'b=2'])]
  const section = sectionOf(batches, { firstDirtyOffset: 2, firstUncleanableOffset: 3 })
  expect(section.isReplaced(key('a'), 0)).toBe(false)
  expect(section.isReplaced(key('b'), 1)).toBe(true)
  expect(section.isReplaced(key('b'), 2)).toBe(false)
})

test('control records and aborted data replace nothing', () => {
  const aborted = [{ producerId: 7n, firstOffset: 1, lastOffset: 2 }]
  const marker = markerAt(2, 'ABORT')
  const section = sectionOf([batchAt(0, ['a=1']), batchAt(1, ['a=2'], transactional), marker], { aborted })
  expect(section.isReplaced(key('a'), 0)).toBe(false)
  const markerKey = Buffer.from([0, 0, 0, 0])
  expect(section.isReplaced(markerKey, 0)).toBe(false)
})

test('a full map cuts the section short at the first key that does not fit, even within a batch', () => {
  const bytesMax = 24 * 4
  const first = batchAt(0, ['a=1', 'b=1', 'a=2'])
  const second = batchAt(3, ['b=2', 'c=1', 'd=1', 'a=3'])
  const section = sectionOf([first, second, batchAt(7, ['b=3'])], { bytesMax })
  expect(section.isCut).toBe(true)
  expect(section.endOffset).toBe(5)
  expect(section.isReplaced(key('b'), 1)).toBe(true)
  expect(section.isReplaced(key('a'), 2)).toBe(false)
  expect(section.add(batchAt(8, ['a=9']))).toBe(false)
  expect(section.isReplaced(key('a'), 2)).toBe(false)
})
