import { Partitioners, type Message } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import {
  hashPartition,
  hashPartitioner,
  hierarchicalPartitioner,
  vlsnKey,
  vlsnPartitioner,
} from '../../src/client/index.ts'
import { seedOf } from '../support/seed.ts'

const seed = seedOf()
const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
  partitionId,
  partitionErrorCode: 0,
  leader: 0,
  replicas: [],
  isr: [],
}))

function choose(partitioner: (choice: never) => number, message: Message): number {
  return partitioner({ topic: 'any', partitionMetadata, message } as never)
}

describe('the hash partitioner', () => {
  test(`chooses as kafkajs and Java do (SEED=${seed})`, () => {
    const random = seededRandom(seed)
    const theirs = Partitioners.DefaultPartitioner()
    const ours = hashPartitioner()
    for (let count = 0; count < 2000; count++) {
      const key = random.bytes(random.below(40))
      expect(choose(ours, { key, value: null })).toBe(choose(theirs, { key, value: null }))
    }
  })

  test('hashes text as UTF-8', () => {
    expect(hashPartition('Müller', 1000)).toBe(hashPartition(Buffer.from('Müller', 'utf8'), 1000))
  })

  test('goes round for records without a key, and keeps a partition that is named', () => {
    const partitioner = hashPartitioner()
    const chosen = Array.from({ length: 8 }, () => choose(partitioner, { value: 'v' }))
    expect(chosen).toEqual([0, 1, 2, 3, 4, 5, 6, 0])
    expect(choose(partitioner, { key: 'k', value: 'v', partition: 5 })).toBe(5)
  })
})

test('the VLSN partitioner takes the remainder, and refuses what is no VLSN', () => {
  const partitioner = vlsnPartitioner()
  for (const vlsn of [0n, 6n, 7n, 2n ** 63n - 1n]) {
    expect(choose(partitioner, { key: vlsnKey(vlsn), value: null })).toBe(Number(vlsn % 7n))
  }
  for (const key of ['12345678', Buffer.alloc(7), Buffer.alloc(8, 0xff), null]) {
    expect(() => choose(partitioner, { key, value: null })).toThrow('The key is not a VLSN')
  }
  expect(() => vlsnKey(2n ** 63n)).toThrow(RangeError)
  expect(() => vlsnKey(-1n)).toThrow(RangeError)
})

test('the hierarchical partitioner looks at the tenant alone, which may have colons in its name', () => {
  const partitioner = hierarchicalPartitioner()
  for (const tenant of ['acme', 'eu:acme', 'Müller', '']) {
    const homes = [0, 1, 99].map(seq => choose(partitioner, { key: `${tenant}:${seq}`, value: null }))
    expect(new Set(homes)).toEqual(new Set([hashPartition(tenant, 7)]))
  }
  expect(() => choose(partitioner, { key: 'acme', value: null })).toThrow('is not tenant:seq')
  expect(() => choose(partitioner, { value: null })).toThrow('has no tenant')
})
