import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { range } from '../../../src/groups/consumer/assignors/range.ts'
import { uniform } from '../../../src/groups/consumer/assignors/uniform.ts'
import type { Assignor, AssignorInput } from '../../../src/groups/modern/assignor.ts'
import {
  addPartition,
  countOf,
  each,
  hasPartition,
  noPartitions,
  type TopicPartitions,
} from '../../../src/groups/modern/topic-partitions.ts'

/** What Apache Kafka 4.3.1's own assignors made of random groups: at first, and after one member has come and another gone. */
interface Fact {
  readonly partitionCounts: readonly number[]
  readonly members: readonly FactMember[]
  readonly range: Record<string, string[]>
  readonly uniform: Record<string, string[]>
  readonly next: readonly FactMember[]
  readonly uniformNext: Record<string, string[]>
}

interface FactMember {
  readonly id: string
  readonly instanceId: string | null
  readonly topics: readonly number[]
}

const facts = JSON.parse(
  readFileSync(join(import.meta.dirname, 'kafka-assignments.json'), 'utf8'),
) as readonly Fact[]

/** Topics of facts are numbers. */
function factInput(
  members: readonly FactMember[],
  counts: readonly number[],
  before: Record<string, string[]> = {},
): AssignorInput {
  return {
    members: members.map(({ id, instanceId, topics }) => ({
      memberId: id,
      instanceId,
      topicIds: new Set(topics.map(String)),
      assigned: placesOf(before[id] ?? []),
    })),
    partitionCounts: new Map(counts.map((count, topic) => [String(topic), count])),
  }
}

function placesOf(names: readonly string[]): TopicPartitions {
  const places = new Map<string, Set<number>>()
  for (const name of names) {
    const [topic, partition] = name.split('-') as [string, string]
    addPartition(places, topic, Number(partition))
  }
  return places
}

const allPlaces = (assigned: Record<string, string[]>): Map<string, TopicPartitions> =>
  new Map(Object.entries(assigned).map(([id, names]) => [id, placesOf(names)]))

/** How many partitions the members have, the one with least first. */
const sizes = (all: ReadonlyMap<string, TopicPartitions>): number[] =>
  [...all.values()].map(countOf).toSorted((a, b) => a - b)

/** Least where all have the same. */
const squares = (all: readonly number[]): number => all.reduce((sum, size) => sum + size * size, 0)

describe('like Apache Kafka', () => {
  test('range gives the very same partitions', () => {
    for (const { members, partitionCounts, range: kafkas } of facts) {
      const ours = shown(range(factInput(members, partitionCounts)))
      for (const { id } of members) expect((ours[id] ?? []).toSorted()).toEqual(kafkas[id]!.toSorted())
    }
  })

  test('uniform gives as many partitions and moves no more where all read the same, and is no less even elsewhere', () => {
    for (const { members, partitionCounts, uniform: before, next, uniformNext } of facts) {
      const first = uniform(factInput(members, partitionCounts))
      const second = uniform(factInput(next, partitionCounts, before))
      const pairs = [
        [sizes(first), sizes(allPlaces(before))],
        [sizes(second), sizes(allPlaces(uniformNext))],
      ] as const
      const isHomogeneous = members.every(({ topics }) => topics.join() === members[0]!.topics.join())
      for (const [ours, kafkas] of pairs) {
        if (isHomogeneous) expect(ours).toEqual(kafkas)
        else expect(squares(ours)).toBeLessThanOrEqual(squares(kafkas))
      }
      if (!isHomogeneous) continue
      const moved = movedBetween(allPlaces(before), allPlaces(uniformNext))
      expect(movedBetween(allPlaces(before), second)).toBeLessThanOrEqual(moved)
    }
  })
})

interface Reader {
  id: string
  topics: string[]
  instanceId?: string
}

function inputOf(
  readers: readonly Reader[],
  counts: Record<string, number>,
  before: ReadonlyMap<string, TopicPartitions> = new Map(),
): AssignorInput {
  return {
    members: readers.map(({ id, topics, instanceId }) => ({
      memberId: id,
      instanceId: instanceId ?? null,
      topicIds: new Set(topics),
      assigned: before.get(id) ?? noPartitions,
    })),
    partitionCounts: new Map(Object.entries(counts)),
  }
}

const shown = (target: ReadonlyMap<string, TopicPartitions>): Record<string, string[]> =>
  Object.fromEntries(
    Array.from(target, ([id, partitions]) => [id, Array.from(each(partitions), place => place.join('-'))]),
  )

const topicNames = ['t0', 't1', 't2', 't3']
const counts = fc.record(Object.fromEntries(topicNames.map(name => [name, fc.integer({ min: 1, max: 20 })])))
const alike = fc
  .tuple(fc.integer({ min: 1, max: 15 }), fc.subarray(topicNames, { minLength: 1 }))
  .map(([count, topics]) => Array.from({ length: count }, (_, index) => ({ id: `m${index}`, topics })))
const different = fc
  .array(fc.subarray(topicNames), { minLength: 1, maxLength: 15 })
  .map(all => all.map((topics, index) => ({ id: `m${index}`, topics })))

/** Every partition that somebody reads has one owner, who reads it; nobody has anything else. */
function checkOwners(
  { members, partitionCounts }: AssignorInput,
  target: ReadonlyMap<string, TopicPartitions>,
): void {
  const owners = new Map<string, string>()
  for (const { memberId, topicIds } of members) {
    for (const [topicId, partition] of each(target.get(memberId) ?? noPartitions)) {
      expect(topicIds.has(topicId)).toBe(true)
      expect(partition).toBeLessThan(partitionCounts.get(topicId)!)
      expect(owners.has(`${topicId}-${partition}`)).toBe(false)
      owners.set(`${topicId}-${partition}`, memberId)
    }
  }
  const read = new Set(members.flatMap(({ topicIds }) => [...topicIds]))
  expect(owners.size).toBe([...read].reduce((sum, topicId) => sum + partitionCounts.get(topicId)!, 0))
}

const movedBetween = (
  before: ReadonlyMap<string, TopicPartitions>,
  after: ReadonlyMap<string, TopicPartitions>,
): number => {
  let moved = 0
  for (const [id, partitions] of before)
    for (const [topicId, partition] of each(partitions))
      if (after.has(id) && !hasPartition(after.get(id)!, topicId, partition)) moved++
  return moved
}

describe.each<[string, Assignor]>([
  ['range', range],
  ['uniform', uniform],
])('%s', (_name, assign) => {
  test('gives every partition to one who reads it', () => {
    fc.assert(
      fc.property(fc.oneof(alike, different), fc.oneof(alike, different), counts, (readers, next, each) => {
        const first = inputOf(readers, each)
        const before = assign(first)
        checkOwners(first, before)
        const second = inputOf(next, each, before)
        checkOwners(second, assign(second))
      }),
    )
  })
})

/** Counts how often somebody goes through it. */
class CountedSet extends Set<string> {
  passCount = 0

  override [Symbol.iterator](): SetIterator<string> {
    this.passCount++
    return super[Symbol.iterator]()
  }
}

test.each(['range', 'uniform'] as const)('%s does not go through all topics for each reader', name => {
  const topicIds = new CountedSet(['a', 'b', 'c'])
  const partitionCounts = new Map(['a', 'b', 'c'].map(topicId => [topicId, 1]))
  const members = Array.from({ length: 100 }, (_, index) => ({
    memberId: `m${index}`,
    instanceId: null,
    topicIds,
    assigned: noPartitions,
  }))
  expect({ range, uniform }[name]({ members, partitionCounts }).size).toBe(members.length)
  expect(topicIds.passCount).toBeGreaterThan(0)
  expect(topicIds.passCount).toBeLessThan(10)
})

describe('range', () => {
  test('gives runs of each topic, in the order of instance ids and then of member ids', () => {
    const readers = [
      { id: 'b', topics: ['t0', 't1'] },
      { id: 'a', topics: ['t0', 't1'] },
      { id: 'z', topics: ['t0', 't1'], instanceId: 'i' },
    ]
    expect(shown(range(inputOf(readers, { t0: 4, t1: 2 })))).toEqual({
      z: ['t0-0', 't0-1', 't1-0'],
      a: ['t0-2', 't1-1'],
      b: ['t0-3'],
    })
  })

  test('counts the readers of each topic by itself', () => {
    const readers = [
      { id: 'a', topics: ['t0'] },
      { id: 'b', topics: ['t0', 't1'] },
    ]
    expect(shown(range(inputOf(readers, { t0: 3, t1: 2 })))).toEqual({
      a: ['t0-0', 't0-1'],
      b: ['t0-2', 't1-0', 't1-1'],
    })
  })
})

describe('uniform', () => {
  test('is even to one partition where all read the same', () => {
    fc.assert(
      fc.property(alike, counts, (readers, each) => {
        const sizes = [...uniform(inputOf(readers, each)).values()].map(countOf)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('moves nothing when nothing has changed', () => {
    fc.assert(
      fc.property(fc.oneof(alike, different), counts, (readers, each) => {
        const before = uniform(inputOf(readers, each))
        expect(movedBetween(before, uniform(inputOf(readers, each, before)))).toBe(0)
      }),
    )
  })

  test('moves only what whoever comes is to have', () => {
    fc.assert(
      fc.property(alike, counts, (readers, each) => {
        const before = uniform(inputOf(readers, each))
        const newcomer = { id: 'new', topics: readers[0]!.topics }
        const after = uniform(inputOf([...readers, newcomer], each, before))
        expect(movedBetween(before, after)).toBe(countOf(after.get('new')!))
      }),
    )
  })

  test('moves nothing of those who stay when somebody leaves', () => {
    fc.assert(
      fc.property(alike, counts, (readers, each) => {
        const before = uniform(inputOf(readers, each))
        const staying = readers.slice(1)
        if (staying.length === 0) return
        expect(movedBetween(before, uniform(inputOf(staying, each, before)))).toBe(0)
      }),
    )
  })

  test('leaves no partition with one who has two more than another who reads it', () => {
    fc.assert(
      fc.property(different, counts, (readers, each_) => {
        const input = inputOf(readers, each_)
        const target = uniform(input)
        const sizes = new Map(Array.from(target, ([id, partitions]) => [id, countOf(partitions)]))
        for (const { memberId } of input.members) {
          for (const topicId of target.get(memberId)!.keys()) {
            for (const other of input.members) {
              if (!other.topicIds.has(topicId)) continue
              expect(sizes.get(memberId)! - sizes.get(other.memberId)!).toBeLessThanOrEqual(1)
            }
          }
        }
      }),
    )
  })
})
