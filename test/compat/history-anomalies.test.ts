import { describe, expect, test } from 'vitest'
import { findAnomalies } from '../../compat/history/anomalies.mjs'
import type { End, History, OffsetCommit, Poll, Produce } from '../../compat/history/anomalies.mjs'

const topic = 'numbers'

function produce(transaction: string, value: string, more: Partial<Produce> = {}): Produce {
  return {
    kind: 'produce',
    transaction,
    topic,
    partition: 0,
    value,
    isTransactional: true,
    ...more,
  }
}

function end(transaction: string, outcome: End['outcome']): End {
  return { kind: 'end', transaction, outcome }
}

/** One poll of partition 0 for each list of `offset:value`. */
function polls(reader: string, ...lists: string[][]): Poll[] {
  return lists.map(list => ({
    kind: 'poll',
    reader,
    topic,
    partition: 0,
    records: list.map(text => {
      const [offset, value] = text.split(':')
      return { offset: Number(offset), value: value! }
    }),
  }))
}

function toEnd(reader: string) {
  return { kind: 'read-to-end', reader } as const
}

function commit(transaction: string, offset: number): OffsetCommit {
  return { kind: 'offset-commit', transaction, group: 'group', topic, partition: 0, offset }
}

function fetch(offset: number) {
  return { kind: 'offset-fetch', group: 'group', topic, partition: 0, offset } as const
}

function kinds(history: History): string[] {
  return findAnomalies(history).map(({ kind }) => kind)
}

describe('a history', () => {
  test('that keeps every promise has no anomaly', () => {
    const history: History = [
      produce('one', 'a'),
      produce('one', 'b'),
      end('one', 'committed'),
      produce('two', 'c'),
      end('two', 'aborted'),
      produce('plain', 'd', { isTransactional: false }),
      end('plain', 'committed'),
      ...polls('reader', ['0:a', '1:b'], [], ['5:d']),
      ...polls('other', ['0:a'], ['1:b', '5:d']),
      toEnd('reader'),
      toEnd('other'),
    ]
    expect(findAnomalies(history)).toEqual([])
  })

  test('names a committed value that no poll returned, and its reader', () => {
    const history = [produce('one', 'a'), end('one', 'committed'), ...polls('reader', []), toEnd('reader')]
    expect(findAnomalies(history)).toEqual([
      { kind: 'lost write', what: 'reader never read a of one in numbers-0' },
    ])
  })

  test('lets a reader that did not come to the end miss what is behind', () => {
    const history = [produce('one', 'a'), produce('one', 'b'), end('one', 'committed')]
    expect(kinds([...history, ...polls('reader', ['0:a'])])).toEqual([])
  })

  test('names an acknowledged plain value that was lost, and lets one of unknown end be lost', () => {
    const plain = produce('plain', 'a', { isTransactional: false })
    const readers = [...polls('reader', []), toEnd('reader')]
    expect(kinds([plain, end('plain', 'committed'), ...readers])).toEqual(['lost write'])
    expect(kinds([plain, end('plain', 'unknown'), ...readers])).toEqual([])
  })

  test('names a value that came twice', () => {
    const history = [produce('one', 'a'), end('one', 'committed'), ...polls('reader', ['0:a'], ['1:a'])]
    expect(kinds(history)).toEqual(['duplicate'])
  })

  test('names a value of an aborted transaction', () => {
    const history = [produce('one', 'a'), end('one', 'aborted'), ...polls('reader', ['0:a'])]
    expect(findAnomalies(history)).toEqual([
      { kind: 'aborted read', what: 'reader read a of one at numbers-0@0' },
    ])
  })

  test('names a transaction of which only a part is there, whether its end is known or not', () => {
    const members = [produce('one', 'a'), produce('one', 'b')]
    const readers = [...polls('reader', ['0:a']), toEnd('reader')]
    expect(kinds([...members, end('one', 'unknown'), ...readers])).toEqual(['torn transaction'])
    expect(kinds([...members, end('one', 'committed'), ...readers])).toEqual([
      'lost write',
      'torn transaction',
    ])
  })

  test('lets a transaction of unknown end be there as a whole or not at all', () => {
    const members = [produce('one', 'a'), produce('one', 'b'), end('one', 'unknown')]
    expect(kinds([...members, ...polls('reader', ['0:a', '1:b']), toEnd('reader')])).toEqual([])
    expect(kinds([...members, ...polls('reader', []), toEnd('reader')])).toEqual([])
  })

  test('names a poll that goes back, within itself or behind an earlier one', () => {
    const members = [produce('one', 'a'), produce('one', 'b'), end('one', 'committed')]
    expect(kinds([...members, ...polls('reader', ['1:b', '0:a'])])).toEqual(['non-monotonic poll'])
    expect(kinds([...members, ...polls('reader', ['1:b'], ['0:a'])])).toEqual(['non-monotonic poll'])
  })

  test('names an offset at which two readers saw different values', () => {
    const members = [produce('one', 'a'), produce('one', 'b'), end('one', 'unknown')]
    const history = [...members, ...polls('reader', ['0:a', '1:b']), ...polls('other', ['0:b', '1:a'])]
    expect(kinds(history)).toEqual(['non-monotonic poll', 'non-monotonic poll'])
  })

  test('names a value that nobody wrote, or not there', () => {
    expect(kinds([...polls('reader', ['0:a'])])).toEqual(['value from nowhere'])
    const elsewhere = [produce('one', 'a', { partition: 1 }), end('one', 'committed')]
    expect(kinds([...elsewhere, ...polls('reader', ['0:a'])])).toEqual(['value from nowhere'])
  })

  test('names an offset that is not that of the last committed transaction', () => {
    const history = [commit('one', 5), end('one', 'committed'), commit('two', 9), end('two', 'aborted')]
    expect(kinds([...history, fetch(5)])).toEqual([])
    expect(kinds([...history, fetch(9)])).toEqual(['inconsistent offsets'])
    expect(kinds([...history, fetch(-1)])).toEqual(['inconsistent offsets'])
  })

  test('lets the offset of a transaction of unknown end be there or not', () => {
    const history = [commit('one', 5), end('one', 'committed'), commit('two', 9), end('two', 'unknown')]
    expect(kinds([...history, fetch(5)])).toEqual([])
    expect(kinds([...history, fetch(9)])).toEqual([])
    expect(kinds([...history, fetch(7)])).toEqual(['inconsistent offsets'])
  })
})
