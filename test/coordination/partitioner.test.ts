import { expect, test } from 'vitest'
import { partitionFor } from '../../src/coordination/partitioner.ts'

test.each([
  // Computed with Java: Math.abs(name.hashCode()) % 50, and 0 for Integer.MIN_VALUE.
  ['', 0],
  ['a', 47],
  ['test', 48],
  ['consumer-group-1', 20],
  ['Grüße', 1],
  ['polygenelubricants', 0],
])('%j is coordinated where Kafka coordinates it', (group, partition) => {
  expect(partitionFor(group, 50)).toBe(partition)
})
