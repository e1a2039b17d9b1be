import { describe, expect, test } from 'vitest'
import { differences, workloads } from '../../compat/exactly-once/workloads.mjs'

function message(value: string, key?: string) {
  return { partition: 0, offset: '0', key, value }
}

describe('differences', () => {
  test('are none between equal lists', () => {
    expect(differences('here', ['a', 'b'], ['a', 'b'])).toEqual([])
  })

  test('name what is lost, what came twice, what nobody sent, and a wrong order', () => {
    expect(differences('here', ['a', 'b'], ['a'])).toEqual(['here lost: b'])
    expect(differences('here', ['a', 'b'], ['a', 'b', 'b'])).toEqual(['here has more than once: b'])
    expect(differences('here', ['a'], ['a', 'x'])).toEqual(['here has what nobody sent: x'])
    expect(differences('here', ['a', 'b'], ['b', 'a'])).toEqual(['here has b where a was expected'])
  })

  test('tell a few examples and count the rest', () => {
    expect(differences('here', ['a', 'b', 'c', 'd', 'e'], [])).toEqual(['here lost: a, b, c and 2 more'])
  })
})

describe('the verdict', () => {
  test('on a transformed topic asks for each offset and value, in the same partition', () => {
    const { verdict } = workloads.transform
    expect(verdict([message('a')], [message('0:a')])).toEqual([])
    expect(verdict([message('a')], [{ ...message('0:a'), partition: 1 }])).toEqual(['partition 0 lost: 0:a'])
  })

  test('on a word count asks for every count of every word, each once', () => {
    const { verdict } = workloads['word-count']
    const input = [message('alpha beta'), message('alpha')]
    const counts = [message('1', 'alpha'), message('1', 'beta'), message('2', 'alpha')]
    expect(verdict(input, counts)).toEqual([])
    expect(verdict(input, counts.slice(0, 2))).toEqual(['alpha lost: 2'])
    expect(verdict(input, [...counts, message('2', 'alpha')])).toEqual(['alpha has more than once: 2'])
  })
})
