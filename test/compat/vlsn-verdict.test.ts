import { describe, expect, test } from 'vitest'
import { findFaults, openOrder } from '../../compat/vlsn/verdict.mjs'
import type { Group, ReadRecord, Stored, VlsnEvent } from '../../compat/vlsn/verdict.mjs'

/** What happened, but for the time, which is its place. */
type Happened = VlsnEvent extends infer Event ? (Event extends VlsnEvent ? Omit<Event, 'at'> : never) : never

const partitionCount = 2
const vlsns = [0, 1, 2, 3, 4, 5, 6, 7]
const value = (vlsn: number): string => `v${vlsn}`
/** A record as its partition has it. */
const own = (vlsn: number): ReadRecord => [vlsn % partitionCount, Math.floor(vlsn / 2), vlsn, value(vlsn)]
/** A record as the view has it. */
const seen = (vlsn: number): ReadRecord => [0, vlsn, vlsn, value(vlsn)]

const stored: Stored = {
  partitions: [0, 1].map(partition => vlsns.filter(vlsn => vlsn % 2 === partition).map(own)),
  view: vlsns.map(seen),
}

const written: Happened[] = [
  { event: 'writing', values: vlsns.map(value) },
  { event: 'written', records: vlsns.map(vlsn => [vlsn, value(vlsn)] as const) },
]
const started = (group: Group): Happened => ({ event: 'started', group })
const read = (group: Group, ...which: number[]): Happened => ({
  event: 'read',
  group,
  records: which.map(group === 'view' ? seen : own),
})
const committing = (group: Group, ...offsets: number[]): Happened => ({
  event: 'committing',
  group,
  offsets: offsets.map((offset, partition) => [partition, offset] as const),
})
const committed = (group: Group, ...offsets: number[]): Happened[] => [
  committing(group, ...offsets),
  { event: 'committed', group },
]
const told = (group: Group, number: number, ...offsets: number[]): Happened => ({
  event: 'told',
  group,
  number,
  offsets: offsets.map((offset, partition) => [partition, offset] as const),
})

/** A group that reads and commits everything in one go. */
const whole: Record<Group, Happened[]> = {
  view: [started('view'), read('view', ...vlsns), ...committed('view', 8), told('view', 8, 8)],
  partitions: [
    started('partitions'),
    read('partitions', ...vlsns),
    ...committed('partitions', 4, 4),
    told('partitions', 8, 4, 4),
  ],
}

function judge(events: Happened[], what: Stored = stored) {
  return findFaults(
    events.map((event, at) => ({ at, ...event }) as VlsnEvent),
    what,
  )
}

/** The kinds of faults of one group, where the other has done all that it should. */
function kinds(group: Group, events: Happened[]): string[] {
  const other = group === 'view' ? whole.partitions : whole.view
  return judge([...written, ...other, ...events]).faults.map(({ kind }) => kind)
}

test('a campaign in which all went well has no fault', () => {
  const { faults, figures } = judge([...written, ...whole.view, ...whole.partitions])
  expect(faults).toEqual([])
  expect(figures.view).toEqual({ sessions: 1, deliveries: 8, resumes: 0, repeats: 0, repeatsMax: 0 })
})

describe('what is written and stored', () => {
  const all = [...written, ...whole.view, ...whole.partitions]

  test('is lost, or another, where it was acknowledged', () => {
    const events = [...all, { event: 'written', records: [[9, 'v9']] } as const]
    expect(judge(events).faults).toMatchObject([{ kind: 'lost record' }])
    const other = [...all, { event: 'written', records: [[3, 'other']] } as const]
    expect(judge(other).faults).toMatchObject([{ kind: 'another record' }])
  })

  test('comes from nowhere, or twice', () => {
    const strange: Happened[] = [{ event: 'writing', values: vlsns.slice(1).map(value) }, ...all.slice(1)]
    expect(judge(strange).faults).toMatchObject([{ kind: 'value from nowhere' }])
    const again: Stored = {
      partitions: [[...stored.partitions[0]!, [0, 4, 8, 'v0']], stored.partitions[1]!],
      view: [...stored.view, [0, 8, 8, 'v0']],
    }
    expect(judge(all, again).faults.map(({ kind }) => kind)).toContain('value twice')
  })

  test('is not in the view, or in another order or place', () => {
    const { partitions, view } = stored
    const missing = { partitions, view: view.filter(([, , vlsn]) => vlsn !== 3) }
    expect(judge(all, missing).faults.map(({ kind }) => kind)).toContain('wrong view')
    const turned = { partitions, view: view.toReversed() }
    expect(judge(all, turned).faults.map(({ kind }) => kind)).toContain('wrong view')
    const shifted: Stored = {
      partitions,
      view: view.map(([at, offset, vlsn, text]) => [at, offset + 1, vlsn, text] as const),
    }
    expect(judge(all, shifted).faults.map(({ kind }) => kind)).toContain('wrong view')
  })

  test('is in a view whose end goes back', () => {
    const ends = [{ event: 'view-end', end: 5 } as const, { event: 'view-end', end: 4 } as const]
    expect(judge([...all, ...ends]).faults).toMatchObject([{ kind: 'end went back' }])
  })
})

describe('who reads the view', () => {
  test('goes on where it was acknowledged, or where it asked to be', () => {
    const before = [started('view'), read('view', 0, 1, 2), ...committed('view', 3), read('view', 3, 4)]
    const after = (from: number): Happened[] => [
      started('view'),
      read('view', ...vlsns.slice(from)),
      ...committed('view', 8),
    ]
    expect(kinds('view', [...before, ...after(3)])).toEqual([])
    expect(kinds('view', [...before, committing('view', 5), ...after(5)])).toEqual([])
    expect(kinds('view', [...before, committing('view', 5), ...after(3)])).toEqual([])
    expect(kinds('view', [...before, ...after(2)])).toEqual(['repeated'])
    expect(kinds('view', [...before, ...after(4)])).toEqual(['skipped'])
  })

  test('goes on nowhere else once it was told', () => {
    const before = [started('view'), read('view', 0, 1, 2, 3), ...committed('view', 2), committing('view', 4)]
    const after = (from: number): Happened[] => [
      told('view', 2, 2),
      started('view'),
      read('view', ...vlsns.slice(from)),
      ...committed('view', 8),
    ]
    expect(kinds('view', [...before, ...after(2)])).toEqual([])
    expect(kinds('view', [...before, ...after(4)])).toEqual(['another place'])
    expect(kinds('view', [...before, told('view', 1, 1), ...after(2).slice(1)])).toContain('repeated')
    expect(kinds('view', [...before, told('view', 5, 5), ...after(2).slice(1)])).toContain('skipped')
  })

  test('skips nothing, and is given what is there for ever', () => {
    const [start, , ...rest] = whole.view
    expect(kinds('view', [start!, read('view', 0, 1, 3, 4, 5, 6, 7), ...rest])).toEqual(['skipped'])
    const changed: Happened = {
      event: 'read',
      group: 'view',
      records: [
        [0, 0, 0, 'v0'],
        [0, 1, 1, 'other'],
      ],
    }
    expect(kinds('view', [start!, changed, ...whole.view])).toContain('changed under a reader')
    const hidden: Happened = { event: 'read', group: 'view', records: [[0, 9, 9, 'v9']] }
    expect(kinds('view', [start!, hidden, ...whole.view])).toContain('changed under a reader')
  })

  test('reads and commits everything, and commits nothing else', () => {
    const some = [started('view'), read('view', 0, 1, 2)]
    expect(kinds('view', [...some, ...committed('view', 3)])).toEqual(['never read'])
    expect(kinds('view', [started('view'), read('view', ...vlsns), ...committed('view', 7)])).toEqual([
      'never committed',
    ])
    expect(
      kinds('view', [
        ...some,
        ...committed('view', 4),
        read('view', ...vlsns.slice(3)),
        ...committed('view', 8),
      ]),
    ).toEqual(['committed what was not read'])
  })
})

describe('who reads the partitions under one number', () => {
  const ended: Happened = { event: 'view-end', end: 8 }
  // 0, 2, 4 of the one and 1 of the other: everything below 3 is committed.
  const before = [
    started('partitions'),
    read('partitions', 0, 2, 4, 1),
    ended,
    ...committed('partitions', 3, 1),
  ]
  const after = (...which: number[]): Happened[] => [
    started('partitions'),
    read('partitions', ...which),
    ...committed('partitions', 4, 4),
    told('partitions', 8, 4, 4),
  ]

  test('may read again what was committed above it, and nothing below', () => {
    const again = judge([...written, ...whole.view, ...before, ...after(4, 6, 3, 5, 7)])
    expect(again.faults).toEqual([])
    expect(again.figures.partitions).toMatchObject({ resumes: 2, repeats: 1, repeatsMax: 1 })
    expect(kinds('partitions', [...before, ...after(2, 4, 6, 3, 5, 7)])).toEqual(['repeated'])
    expect(kinds('partitions', [...before, ...after(6, 5, 7)])).toContain('skipped')
  })

  test('goes on in each partition where the number is told to be', () => {
    expect(kinds('partitions', [...before, told('partitions', 3, 2, 1), ...after(4, 6, 3, 5, 7)])).toEqual([])
    expect(kinds('partitions', [...before, told('partitions', 3, 3, 1), ...after(6, 3, 5, 7)])).toContain(
      'another place',
    )
    expect(kinds('partitions', [...before, told('partitions', 3, 2, 1), ...after(6, 3, 5, 7)])).toEqual([
      'another place',
    ])
  })

  test('has a number below which all partitions are committed, and that never falls', () => {
    expect(kinds('partitions', [...before, told('partitions', 4, 2, 2), ...after(4, 6, 5, 7)])).toContain(
      'number not complete',
    )
    expect(
      kinds('partitions', [...before, told('partitions', 1, 1, 0), ...after(2, 4, 6, 1, 3, 5, 7)]),
    ).toContain('number went back')
  })

  test('may have been told where to go on before others were committed', () => {
    const first = [started('partitions'), ended, read('partitions', 0, 2), ...committed('partitions', 2)]
    // Partition 0 is told its start, since nothing of the other is committed; that it was once committed further counts as soon as it is.
    const second = [started('partitions'), read('partitions', 1, 3, 5, 7), committing('partitions', 2, 4)]
    const rest = [
      read('partitions', 0, 2, 4, 6),
      ...committed('partitions', 4, 4),
      told('partitions', 8, 4, 4),
    ]
    const early = { event: 'committed', group: 'partitions' } as const
    expect(kinds('partitions', [...first, ...second, early, ...rest])).toEqual([])
    // Who begins after that is told so.
    expect(kinds('partitions', [...first, ...second, early, started('partitions'), ...rest])).toEqual([
      'repeated',
    ])
  })

  test('is held to no more than the broker could know', () => {
    const late = [started('partitions'), read('partitions', 0, 2, 4, 1), ...committed('partitions', 3, 1)]
    // Where the view ended was not known when it committed.
    expect(kinds('partitions', [...late, ...after(0, 2, 4, 6, 1, 3, 5, 7)])).toEqual([])
    // What was committed above the number was forgotten with the broker.
    const some = [started('partitions'), read('partitions', 0, 1), ended, ...committed('partitions', 1)]
    const died: Happened[] = [{ event: 'broker-killed' }, { event: 'broker-back' }]
    const other: Happened[] = [
      { event: 'committing', group: 'partitions', offsets: [[1, 1]] },
      { event: 'committed', group: 'partitions' },
    ]
    const rest = after(0, 2, 4, 6, 1, 3, 5, 7)
    expect(kinds('partitions', [...some, ...died, ...other, ...rest])).toEqual([])
    expect(kinds('partitions', [...some, ...other, ...rest])).toContain('repeated')
  })
})

const order = (which: number[]): string[] => {
  const found = openOrder({ from: 2, to: 5 })
  found.take(which.map(vlsn => [0, vlsn, vlsn, String(vlsn)] as const))
  return found.faults()
}

test('records in order are from, to and nothing else', () => {
  expect(order([2, 3, 4])).toEqual([])
  expect(order([2, 3])).toHaveLength(1)
  expect(order([2, 4, 3])).toHaveLength(1)
  expect(order([3, 4])).toHaveLength(1)
  expect(order([2, 2, 3])).toHaveLength(1)
})
