import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { Eras } from '../../src/vlsn/eras.ts'

test('gives each VLSN one partition, and each partition its next VLSN, whatever the eras', () => {
  const random = seededRandom(11)
  for (let round = 0; round < 40; round++) {
    let eras = new Eras([{ firstVlsn: 0n, partitionCount: 1 + random.below(4) }])
    let count = eras.list[0]!.partitionCount
    let firstVlsn = 0n
    for (let era = random.below(4); era > 0; era--) {
      count += 1 + random.below(3)
      firstVlsn += BigInt(random.below(7))
      eras = eras.with({ firstVlsn, partitionCount: count })
    }
    for (let partition = 0; partition < count; partition++) {
      for (let from = 0n; from < 30n; from++) {
        let expected = from
        while (eras.partitionOf(expected) !== partition) expected++
        expect(eras.firstIn(partition, from)).toBe(expected)
      }
    }
  }
})

test('lets an era give way to the next where nothing can have been written in it', () => {
  const eras = new Eras([{ firstVlsn: 0n, partitionCount: 2 }])
  const grown = eras.with({ firstVlsn: 9n, partitionCount: 3 }).with({ firstVlsn: 9n, partitionCount: 5 })
  expect(grown.list).toEqual([
    { firstVlsn: 0n, partitionCount: 2 },
    { firstVlsn: 9n, partitionCount: 5 },
  ])
  expect(grown.strideBetween(3n, 8n)).toBe(2)
  expect(grown.strideBetween(8n, 9n)).toBeUndefined()
})
