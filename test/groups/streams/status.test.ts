import { expect, test } from 'vitest'
import { status, summary } from '../../../src/groups/streams/status.ts'

test('says no more than an answer can hold, however long the names of topics are', () => {
  const longest = 'x'.repeat(0x7fff)
  const { statusDetail } = status('MISSING_SOURCE_TOPICS', `Missing: ${summary([longest, longest])}`)
  expect(statusDetail.length).toBeLessThan(0x7fff)
  expect(statusDetail).toMatch(/^Missing: x+\.\.\.$/)
})

test('names the first three topics and counts the others', () => {
  expect(summary(['a', 'b'])).toBe('a, b')
  expect(summary(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 additional topics')
})
