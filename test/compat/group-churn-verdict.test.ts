import { describe, expect, test } from 'vitest'
import { findViolations } from '../../compat/group-churn/verdict.mjs'
import type { GroupEvent, Limits } from '../../compat/group-churn/verdict.mjs'

const limits: Limits = {
  protocol: 'consumer',
  heartbeatMs: 500,
  convergenceIntervalsMax: 3,
  deliveriesMax: 5,
}

function owned(
  event: 'assigned' | 'revoked' | 'lost',
  at: number,
  member: string,
  generation: number,
  ...partitions: number[]
): GroupEvent {
  return { at, event, member, generation, partitions }
}

function described(at: number, ...names: string[]): GroupEvent {
  return { at, event: 'described', members: names.map(name => ({ name, partitions: [0] })) }
}

function delivered(
  at: number,
  member: string,
  offset: number,
  count: number,
  choice: 'accept' | 'release' | 'hold',
): GroupEvent {
  return { at, event: 'delivered', member, records: [[0, offset, `v${offset}`, count, choice]] }
}

function accepted(at: number, member: string, offset: number, count: number): GroupEvent {
  return { at, event: 'accepted', member, records: [[0, offset, count]] }
}

function rested(at: number, members: string[], ...ends: number[]): GroupEvent {
  return { at, event: 'rested', members, ends }
}

const kinds = (history: GroupEvent[]) => findViolations(history, limits).violations.map(({ kind }) => kind)
const shared = (history: GroupEvent[]) =>
  findViolations(history, { ...limits, protocol: 'share' }).violations.map(({ kind }) => kind)

/** From one member to another, which has it in this generation. */
const moved = (generation: number) => [
  owned('assigned', 1, 'a', 5, 0),
  owned('revoked', 2, 'a', 5, 0),
  owned('assigned', 3, 'b', generation, 0),
]

/** A change that the broker knew of after a second, and when the last member heard what follows. */
const lastHeard = (convergedAt: number) => [
  described(1_000, 'a', 'b'),
  owned('assigned', convergedAt, 'a', 1, 0),
]

describe('partitions', () => {
  test('that are let go of before they go to another are in order', () => {
    const history = [
      described(0, 'a'),
      owned('assigned', 1, 'a', 1, 0, 1),
      described(2, 'a', 'b'),
      owned('revoked', 3, 'a', 1, 1),
      owned('assigned', 4, 'b', 2, 1),
      rested(9, ['a', 'b'], 0, 0),
    ]
    expect(kinds(history)).toEqual([])
  })

  test('that go to another early have two owners', () => {
    const history = [
      owned('assigned', 1, 'a', 1, 0),
      owned('assigned', 2, 'b', 2, 0),
      owned('revoked', 3, 'a', 1, 0),
    ]
    expect(kinds(history)).toEqual(['two owners'])
  })

  test('of a member that was given up go to another before it hears so', () => {
    const history = [
      owned('assigned', 1, 'a', 1, 0),
      owned('assigned', 2, 'b', 2, 0),
      owned('lost', 3, 'a', 1, 0),
    ]
    expect(kinds(history)).toEqual([])
    expect(findViolations(history, limits).figures.fenced).toBe(1)
  })

  test('have one owner per generation, and no generation comes again', () => {
    expect(kinds(moved(6))).toEqual([])
    expect(kinds(moved(5))).toEqual(['two owners in one generation'])
    expect(kinds(moved(4))).toEqual(['generation went back'])
  })

  test('of a member that died are free', () => {
    const history: GroupEvent[] = [
      owned('assigned', 1, 'a', 1, 0),
      { at: 2, event: 'host-killed', members: ['a'] },
      owned('assigned', 3, 'b', 2, 0),
    ]
    expect(kinds(history)).toEqual([])
  })

  test('have an owner at rest, and members even shares', () => {
    const history = [
      described(0, 'a', 'b'),
      owned('assigned', 1, 'a', 1, 0, 1, 2),
      rested(9, ['a', 'b'], 0, 0, 0, 0),
    ]
    expect(kinds(history)).toEqual(['no owner', 'uneven'])
  })
})

describe('records', () => {
  test('that nobody saw are lost', () => {
    const history: GroupEvent[] = [
      described(0, 'a'),
      owned('assigned', 1, 'a', 1, 0),
      { at: 2, event: 'delivered', member: 'a', records: [[0, 0, 'v0']] },
      rested(9, ['a'], 2),
    ]
    expect(kinds(history)).toEqual(['lost record'])
  })

  test('that were acknowledged are where they were', () => {
    const history: GroupEvent[] = [
      described(0, 'a'),
      owned('assigned', 1, 'a', 1, 0),
      {
        at: 2,
        event: 'produced',
        records: [
          [0, 0, 'mine'],
          [0, 7, 'gone'],
        ],
      },
      { at: 3, event: 'delivered', member: 'a', records: [[0, 0, 'v0']] },
      rested(9, ['a'], 1),
    ]
    expect(kinds(history)).toEqual(['another record', 'lost record'])
  })

  test('of share groups are held by one member at a time', () => {
    const history = [delivered(1, 'a', 0, 1, 'release'), delivered(2, 'b', 0, 2, 'accept')]
    expect(shared(history)).toEqual([])
    expect(shared([...history, delivered(3, 'c', 0, 2, 'hold')])).toEqual(['held by two'])
  })

  test('that were accepted never come back, nor after the broker died', () => {
    const history = [delivered(1, 'a', 0, 1, 'accept'), accepted(2, 'a', 0, 1)]
    expect(shared([...history, delivered(3, 'b', 0, 2, 'accept')])).toEqual(['back after it was accepted'])
    const restart: GroupEvent[] = [
      { at: 10, event: 'broker-killed' },
      { at: 20, event: 'broker-back' },
    ]
    expect(shared([...history, ...restart, delivered(9_000, 'b', 0, 1, 'accept')])).toEqual([
      'back after it was accepted',
    ])
  })

  test('that were held when the broker died may come with the same count again', () => {
    const history: GroupEvent[] = [
      delivered(1, 'a', 0, 1, 'hold'),
      { at: 10, event: 'broker-killed' },
      { at: 20, event: 'broker-back' },
      delivered(9_000, 'b', 0, 1, 'accept'),
    ]
    expect(shared(history)).toEqual([])
  })

  test('are not delivered beyond the limit, nor given up', () => {
    const history = [described(0, 'a'), delivered(1, 'a', 0, 6, 'release'), rested(9, ['a'], 1)]
    expect(shared(history)).toEqual(['delivered too often', 'lost record'])
  })
})

describe('a group', () => {
  test('converges within the limit after the broker knew of the last change', () => {
    expect(kinds(lastHeard(2_400))).toEqual([])
    expect(kinds(lastHeard(2_600))).toEqual(['slow convergence'])
  })

  test('has nobody in it who is gone, and nobody fails', () => {
    const history: GroupEvent[] = [
      described(0, 'a', 'b'),
      owned('assigned', 1, 'a', 1, 0),
      { at: 2, event: 'failed', member: 'a', error: 'why' },
      rested(9, ['a'], 0),
    ]
    expect(kinds(history)).toEqual(['member failed', 'strangers in the group'])
  })
})
