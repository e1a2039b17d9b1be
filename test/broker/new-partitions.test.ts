import { expect, test } from 'vitest'
import { repeatedNames } from '../../src/broker/new-partitions.ts'

test('finds what a request names twice in one pass, however much it names', () => {
  const names = Array.from({ length: 1_000_000 }, (_, index) => ({ name: `topic-${index}` }))
  expect(repeatedNames(names)).toEqual(new Set())
  expect(repeatedNames([...names, { name: 'topic-7' }, { name: 'topic-7' }])).toEqual(new Set(['topic-7']))
})
