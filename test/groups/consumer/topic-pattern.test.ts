import { expect, test } from 'vitest'
import { expandedSize } from '../../../src/coordination/pattern-size.ts'
import { TopicPattern } from '../../../src/groups/consumer/topic-pattern.ts'

test('matches whole names, in the words of RE2', () => {
  const names = ['orders', 'orders-eu', 'payments', 'Orders']
  expect(new TopicPattern('orders').resolve(names)).toEqual(['orders'])
  expect(new TopicPattern('(?i)orders.*').resolve(names)).toEqual(['Orders', 'orders', 'orders-eu'])
  expect(new TopicPattern('^(orders|pay\\w+)$').resolve(names)).toEqual(['orders', 'payments'])
})

test('finds names that come later, and forgets those that go', () => {
  const pattern = new TopicPattern('a.*')
  expect(pattern.resolve(['a1'])).toEqual(['a1'])
  expect(pattern.resolve(['b', 'a2'])).toEqual(['a2'])
  expect(pattern.resolve(['a1', 'a2'])).toEqual(['a1', 'a2'])
})

test.each(['(a', '[a', 'a**', '(?=a)b', '(a)\\1', 'a{1001}'])('refuses %s', regex => {
  expect(() => new TopicPattern(regex)).toThrow(/is not a valid regular expression/)
})

test.each(['a{1000}'.repeat(100), '((a{100}){10}){5}', 'x'.repeat(5_000), '(?:ab){1000}(?:cd){1000}'])(
  'refuses what would take seconds to compile: %#',
  regex => {
    expect(() => new TopicPattern(regex)).toThrow('expression is too large')
  },
)

test('is not held up by patterns that backtrack elsewhere', () => {
  const names = Array.from({ length: 50 }, (_, index) => `${'a'.repeat(100)}${index}`)
  for (const regex of ['(a+)+$', '(a|aa)+b', '(.*a){20}', '(a?){100}a{100}'])
    expect(new TopicPattern(regex).resolve(names)).toBeInstanceOf(Array)
})

test.each([
  ['orders', 6],
  ['[a-z]{3}x', 4],
  ['(ab){3}c', 10],
  ['a\\{3}', 4],
  ['\\d{2,5}', 5],
  ['[]a{9}]{2}', 2],
  ['', 0],
])('writes out %s to about %i characters', (regex, size) => {
  expect(expandedSize(regex)).toBe(size)
})
