import { expect, test } from 'vitest'
import { seededRandom, type Random } from '../../../src/base/random.ts'
import { overlay, type StateBatch } from '../../../src/groups/share/state/delivery.ts'

function batch(firstOffset: number, lastOffset: number, deliveryState = 0, deliveryCount = 1): StateBatch {
  return { firstOffset, lastOffset, deliveryState, deliveryCount }
}

test('changes hold where they overlap, and what lies before the start is gone', () => {
  expect(overlay([batch(0, 9), batch(10, 19, 2)], [batch(5, 12, 4)], 2)).toEqual([
    batch(2, 4),
    batch(5, 12, 4),
    batch(13, 19, 2),
  ])
})

test('neighbours that say the same become one', () => {
  expect(overlay([batch(0, 4), batch(10, 14)], [batch(5, 9)], 0)).toEqual([batch(0, 14)])
})

test('says of every record what the last change said, at random', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed)
    const [before, after] = [someBatches(random), someBatches(random)]
    const startOffset = random.below(30)
    const expected: (string | undefined)[] = []
    for (const each of [...before, ...after]) {
      for (let offset = each.firstOffset; offset <= each.lastOffset; offset++)
        if (offset >= startOffset) expected[offset] = `${each.deliveryState} ${each.deliveryCount}`
    }
    const found: (string | undefined)[] = []
    let last = -1
    for (const each of overlay(before, after, startOffset)) {
      expect(each.firstOffset, `seed ${seed}`).toBeGreaterThan(last)
      for (let offset = each.firstOffset; offset <= each.lastOffset; offset++)
        found[offset] = `${each.deliveryState} ${each.deliveryCount}`
      last = each.lastOffset
    }
    expect(found, `seed ${seed}`).toEqual(expected)
  }
})

function someBatches(random: Random): StateBatch[] {
  const batches: StateBatch[] = []
  for (let from = random.below(10); from < 60; from += random.below(6)) {
    const last = from + random.below(8)
    batches.push(batch(from, last, random.below(3) * 2, random.below(2)))
    from = last + 1
  }
  return batches
}
