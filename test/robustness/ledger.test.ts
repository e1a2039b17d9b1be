import { describe, expect, test } from 'vitest'
import { readBatch, stamp } from '../../src/protocol/records/batch.ts'
import { buildBatch } from '../../src/protocol/records/record.ts'
import { compare, noDamage, openAccount, valueOf, type Account } from '../support/workload-ledger.ts'

// The crash campaign is worth what its eyes are worth.

const place = { topic: 'topic', partition: 0 }
const writer = 'writer'

function batchAt(baseOffset: number, first: number, count: number): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({ value: valueOf(writer, first + index) }))
  const batch = buildBatch({ records })
  stamp(batch, 0, baseOffset, 0)
  return batch
}

/** Two batches of two and three records, both acknowledged. */
function account(isExact = true): Account {
  const opened = openAccount(writer, place, isExact)
  opened.sent.set(0, 2).set(2, 3).set(5, 1)
  opened.acknowledged.push({ baseOffset: 0n, first: 0, count: 2 }, { baseOffset: 2n, first: 2, count: 3 })
  return opened
}

const first = batchAt(0, 0, 2)
const second = batchAt(2, 2, 3)

function damageOf(batches: Buffer[], { isExact = true, witnessed = new Map<bigint, number>() } = {}): object {
  const damage = noDamage()
  compare(place, { start: 0n, bytes: Buffer.concat(batches) }, [account(isExact)], witnessed, damage)
  const { problems, ...counts } = damage
  expect(problems.length).toBe(Object.values(counts).reduce((sum, count) => sum + count, 0))
  return counts
}

const none = { lost: 0, duplicated: 0, reordered: 0, corrupted: 0 }

describe('finds', () => {
  test('nothing wrong with what was promised, nor with more', () => {
    expect(damageOf([first, second])).toEqual(none)
    expect(damageOf([first, second, batchAt(5, 5, 1)])).toEqual(none)
    expect(damageOf([first, second], { witnessed: new Map([[2n, readBatch(second).crc]]) })).toEqual(none)
  })

  test('what is lost at the end', () => {
    expect(damageOf([first])).toEqual({ ...none, lost: 3 })
  })

  test('a hole', () => {
    expect(damageOf([first, batchAt(5, 5, 1)])).toEqual({ ...none, lost: 4, reordered: 1 })
  })

  test('a retry that shows, unless it may', () => {
    const again = batchAt(5, 2, 3)
    expect(damageOf([first, second, again])).toEqual({ ...none, duplicated: 3 })
    expect(damageOf([first, second, again], { isExact: false })).toEqual(none)
  })

  test('batches in another order', () => {
    const swapped = damageOf([batchAt(0, 2, 3), batchAt(3, 0, 2)])
    expect(swapped).toEqual({ ...none, lost: 5, reordered: 1, duplicated: 2 })
  })

  test('a flipped bit', () => {
    const flipped = Buffer.from(second)
    flipped.writeUInt8(flipped.at(-2)! ^ 1, flipped.length - 2)
    expect(damageOf([first, flipped])).toMatchObject({ lost: 1, corrupted: 2 })
  })

  test('half a batch', () => {
    expect(damageOf([first, batchAt(2, 2, 2)])).toEqual({ ...none, lost: 1, corrupted: 1 })
  })

  test('a batch that is not what a reader saw', () => {
    expect(damageOf([first, second], { witnessed: new Map([[2n, 1]]) })).toEqual({ ...none, corrupted: 1 })
    expect(damageOf([first, second], { witnessed: new Map([[9n, 1]]) })).toEqual({ ...none, corrupted: 1 })
  })
})
