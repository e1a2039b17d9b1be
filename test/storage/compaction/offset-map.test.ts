import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { OffsetMap } from '../../../src/storage/compaction/offset-map.ts'

const key = (text: string): Buffer => Buffer.from(text)

test('the latest offset of a key is found, and none for another', () => {
  const map = new OffsetMap({ bytesMax: 1 << 16, loadFactor: 0.9, recordCount: 10 })
  expect(map.get(key('a'))).toBe(-1)
  expect(map.put(key('a'), 0)).toBe(true)
  expect(map.put(key('b'), 1)).toBe(true)
  expect(map.put(key('a'), 2)).toBe(true)
  expect([map.get(key('a')), map.get(key('b')), map.get(key('c'))]).toEqual([2, 1, -1])
  expect(map.keyCount).toBe(2)
})

test('an empty key is a key', () => {
  const map = new OffsetMap({ bytesMax: 1 << 16, loadFactor: 0.9, recordCount: 1 })
  map.put(key(''), 4)
  expect(map.get(key(''))).toBe(4)
})

test('a full map takes no new key and still moves those that it has', () => {
  const map = new OffsetMap({ bytesMax: 24 * 10, loadFactor: 0.9, recordCount: 1_000_000 })
  expect(map.keyCountMax).toBe(9)
  for (let offset = 0; offset < 9; offset++) expect(map.put(key(`k${offset}`), offset)).toBe(true)
  expect(map.put(key('one more'), 9)).toBe(false)
  expect(map.get(key('one more'))).toBe(-1)
  expect(map.put(key('k3'), 10)).toBe(true)
  expect(map.get(key('k3'))).toBe(10)
})

test.each([0.1, 0.5, 0.9, 1, 1.5])('with a load factor of %d, searches for absent keys end', loadFactor => {
  const map = new OffsetMap({ bytesMax: 24 * 30, loadFactor, recordCount: 1_000_000 })
  for (let offset = 0; map.put(key(`k${offset}`), offset); offset++) continue
  expect(map.keyCount).toBe(map.keyCountMax)
  for (let index = 0; index < 200; index++) expect(map.get(key(`absent ${index}`))).toBe(-1)
})

test('the table is no larger than the records need, and never larger than allowed, however long the keys', () => {
  const few = new OffsetMap({ bytesMax: 1 << 27, loadFactor: 0.9, recordCount: 100 })
  expect(few.sizeInBytes).toBeLessThan(100 * 30)
  expect(few.keyCountMax).toBeGreaterThanOrEqual(100)
  const many = new OffsetMap({ bytesMax: 10_000, loadFactor: 0.9, recordCount: 1 << 30 })
  expect(many.sizeInBytes).toBeLessThanOrEqual(10_000)
  for (let offset = 0; offset < many.keyCountMax; offset++) {
    expect(many.put(Buffer.alloc(5000, offset), offset)).toBe(true)
  }
})

test.each([1, 2, 3, 7, 1000])('there is room for %d records where memory allows', recordCount => {
  for (const loadFactor of [0.3, 0.75, 0.9, 1]) {
    const { keyCountMax } = new OffsetMap({ bytesMax: 1 << 20, loadFactor, recordCount })
    expect(keyCountMax).toBeGreaterThanOrEqual(recordCount)
  }
})

test('a map in which no key would ever fit is refused', () => {
  expect(() => new OffsetMap({ bytesMax: 40, loadFactor: 0.9, recordCount: 5 })).toThrow('no offset')
})

test.each([11, 12, 13])('seed %d: says what a Map says', seed => {
  const random = seededRandom(seed)
  const map = new OffsetMap({ bytesMax: 24 * 500, loadFactor: 0.95, recordCount: 5000 })
  const model = new Map<string, number>()
  for (let offset = 0; offset < 5000; offset++) {
    const text = `${random.below(600)}`
    const isTaken = map.put(key(text), offset)
    expect(isTaken).toBe(model.has(text) || model.size < map.keyCountMax)
    if (isTaken) model.set(text, offset)
  }
  for (let index = 0; index < 700; index++) expect(map.get(key(`${index}`))).toBe(model.get(`${index}`) ?? -1)
})
