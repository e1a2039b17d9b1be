import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { Eras } from '../../src/vlsn/eras.ts'
import { loadIndex } from '../../src/vlsn/index-loading.ts'
import { VlsnIndex, type Place } from '../../src/vlsn/vlsn-index.ts'
import { openTestStore } from '../storage/support.ts'
import { batchOf } from './support.ts'

test('says what a plain list would, however numbers are left out and offsets taken by others', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const index = new VlsnIndex()
    let list: Place[] = []
    let vlsn = BigInt(random.below(5))
    let offset = random.below(3)
    for (let count = 0; count < 80; count++) {
      index.note(vlsn, offset)
      list.push({ vlsn, offset })
      vlsn += random.below(6) === 0 ? BigInt(3 + 3 * random.below(4)) : 3n
      offset += random.below(9) === 0 ? 2 : 1
    }
    const cut = random.below(2) === 0 ? random.below(offset) : 0
    index.trimBefore(cut)
    list = list.filter(place => place.offset >= cut)
    expect(index.last, `seed ${seed}`).toBe(list.at(-1)?.vlsn ?? index.last)
    for (let at = 0; at <= offset + 1; at++) {
      expect(index.firstFromOffset(at), `seed ${seed}`).toEqual(list.find(place => place.offset >= at))
      expect(index.lastBeforeOffset(at), `seed ${seed}`).toEqual(list.findLast(place => place.offset < at))
    }
    for (let at = 0n; at <= vlsn + 1n; at++) {
      expect(index.firstFrom(at), `seed ${seed}`).toEqual(list.find(place => place.vlsn >= at))
      expect(index.offsetOf(at), `seed ${seed}`).toBe(list.find(place => place.vlsn === at)?.offset)
    }
  }
})

const eras = new Eras([{ firstVlsn: 0n, partitionCount: 3 }])

test('is found again by reading the ends of a log without gaps, and little more where there are some', async () => {
  const store = await openTestStore()
  const log = store.create(1, { createdAt: 1 })
  let vlsn = 0
  let written = 0
  for (let batch = 0; batch < 500; batch++) {
    const own = Array.from({ length: 4 }, () => {
      if (++written === 777) vlsn += 9
      return (vlsn += 3)
    })
    log.append(batchOf(own))
  }
  await store.flushed()
  let reads = 0
  const counted = new Proxy(log, {
    get(target, name) {
      if (name === 'read') reads++
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const index = new VlsnIndex()
  await loadIndex(counted, eras, index)
  expect(index.stretches).toMatchObject([
    { offset: 0, count: 776 },
    { offset: 776, count: 1224 },
  ])
  expect(reads).toBeLessThan(15)
  await store.close()
})

test('is not deceived by a marker that takes the offset of a number that is missing', async () => {
  const store = await openTestStore()
  const log = store.create(1, { createdAt: 1 })
  const epochs = { producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 1 }
  for (const vlsn of [0, 3, 6]) log.append(batchOf([vlsn]))
  log.endTransaction({ type: 'COMMIT', producerId: 5n, ...epochs, timestamp: 0n })
  for (const vlsn of [12, 15]) log.append(batchOf([vlsn]))
  await store.flushed()
  const index = new VlsnIndex()
  await loadIndex(log, eras, index)
  expect(index.stretches).toEqual([
    { vlsn: 0n, offset: 0, stride: 3n, count: 3 },
    { vlsn: 12n, offset: 4, stride: 3n, count: 2 },
  ])
  await store.close()
})
