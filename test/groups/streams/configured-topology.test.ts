import { describe, expect, test } from 'vitest'
import { configure } from '../../../src/groups/streams/configured-topology.ts'
import { statusCodes } from '../../../src/groups/streams/status.ts'
import { KafkaError } from '../../../src/protocol/errors.ts'
import { GroupTopics } from '../../support/group-topics.ts'
import { internal, subtopology, topology } from '../../support/streams-scene.ts'

/** How many tasks each subtopology has, how many partitions each missing topic is to have, and what is wrong. */
function configured(topics: Record<string, number>, asked: ReturnType<typeof topology>) {
  const { subtopologies, missingTopics, fault } = configure(asked, new GroupTopics(topics))
  return {
    tasks:
      subtopologies && Object.fromEntries(Array.from(subtopologies, ([id, each]) => [id, each.taskCount])),
    missing: Object.fromEntries(missingTopics.map(({ name, partitions }) => [name, partitions])),
    status: fault && Object.entries(statusCodes).find(([, code]) => code === fault.statusCode)![0],
    detail: fault?.statusDetail,
  }
}

/** Reads both, joins them, and passes on what it finds. */
const joined = (right: ReturnType<typeof internal>[] = [], more: string[] = []) =>
  topology(
    subtopology('0', ['clicks'], { repartitionSinkTopics: ['by-user'] }),
    subtopology('1', ['users', ...more], {
      repartitionSourceTopics: [internal('by-user'), ...right],
      stateChangelogTopics: [internal('join-changelog')],
      copartitionGroups: [
        {
          sourceTopics: [0, ...more.map((_, index) => index + 1)],
          sourceTopicRegex: [],
          repartitionSourceTopics: [0, ...right.map((_, index) => index + 1)],
        },
      ],
    }),
  )

/** Joins two repartition topics of these widths. */
const both = (left: number, right: number) =>
  topology(
    subtopology('0', ['a'], { repartitionSinkTopics: ['left'] }),
    subtopology('1', ['b'], { repartitionSinkTopics: ['right'] }),
    subtopology('2', [], {
      repartitionSourceTopics: [internal('left', left), internal('right', right)],
      copartitionGroups: [{ sourceTopics: [], sourceTopicRegex: [], repartitionSourceTopics: [0, 1] }],
    }),
  )

describe('as Apache Kafka decides', () => {
  test('a subtopology has as many tasks as its widest source topic has partitions, and so has its changelog', () => {
    const two = topology(
      subtopology('0', ['a', 'b'], { stateChangelogTopics: [internal('log')] }),
      subtopology('1', ['a']),
    )
    expect(configured({ a: 2, b: 5 }, two)).toMatchObject({
      tasks: { 0: 5, 1: 2 },
      missing: { log: 5 },
      status: 'MISSING_INTERNAL_TOPICS',
      detail: 'Internal topics are missing: log',
    })
    expect(configured({ a: 2, b: 5, log: 5 }, two)).toMatchObject({ missing: {}, status: undefined })
  })

  test('a repartition topic is as wide as what flows into it, over any number of hops', () => {
    const hops = topology(
      subtopology('2', [], { repartitionSourceTopics: [internal('second')] }),
      subtopology('1', [], {
        repartitionSourceTopics: [internal('first')],
        repartitionSinkTopics: ['second'],
      }),
      subtopology('0', ['a'], { repartitionSinkTopics: ['first'] }),
    )
    expect(configured({ a: 3 }, hops)).toMatchObject({
      tasks: { 0: 3, 1: 3, 2: 3 },
      missing: { first: 3, second: 3 },
    })
  })

  test('one whose width the application has chosen keeps it', () => {
    const chosen = topology(
      subtopology('0', ['a'], { repartitionSinkTopics: ['wide'] }),
      subtopology('1', [], {
        repartitionSourceTopics: [internal('wide', 9)],
        stateChangelogTopics: [internal('log')],
      }),
    )
    expect(configured({ a: 3 }, chosen)).toMatchObject({
      tasks: { 0: 3, 1: 9 },
      missing: { wide: 9, log: 9 },
    })
  })

  test('one that is joined with a source topic is as wide as that', () => {
    expect(configured({ clicks: 8, users: 4 }, joined())).toMatchObject({
      tasks: { 0: 8, 1: 4 },
      missing: { 'by-user': 4, 'join-changelog': 4 },
    })
  })

  test('repartition topics that are joined are as wide as the widest, or as the one that was chosen', () => {
    const topics = { a: 2, b: 6 }
    expect(configured(topics, both(0, 0)).missing).toEqual({ left: 6, right: 6 })
    expect(configured(topics, both(3, 0)).missing).toEqual({ left: 3, right: 3 })
    expect(configured(topics, both(3, 4))).toMatchObject({
      tasks: undefined,
      status: 'INCORRECTLY_PARTITIONED_TOPICS',
      detail: 'Following topics do not have the same number of partitions: [{left=3, right=4}]',
    })
  })
})

describe('what is wrong is told in the words of Apache Kafka', () => {
  test.each([
    [
      'source topics that are not there',
      { clicks: 1 },
      joined(),
      'MISSING_SOURCE_TOPICS',
      'Source topics users are missing.',
    ],
    [
      'source topics that are joined and not equally wide',
      { clicks: 1, users: 2, more: 3 },
      joined([], ['more']),
      'INCORRECTLY_PARTITIONED_TOPICS',
      'Following topics do not have the same number of partitions: [{more=3, users=2}]',
    ],
    [
      'a chosen width that does not fit what it is joined with',
      { clicks: 1, users: 2 },
      topology(
        subtopology('0', ['clicks'], { repartitionSinkTopics: ['by-user'] }),
        subtopology('1', ['users'], {
          repartitionSourceTopics: [internal('by-user', 5)],
          copartitionGroups: [{ sourceTopics: [0], sourceTopicRegex: [], repartitionSourceTopics: [0] }],
        }),
      ),
      'INCORRECTLY_PARTITIONED_TOPICS',
      "Number of partitions [5] of repartition topic [by-user] doesn't match number of partitions [2] of the source topic.",
    ],
    [
      'a changelog that is there and has another width',
      { a: 2, log: 3 },
      topology(subtopology('0', ['a'], { stateChangelogTopics: [internal('log')] })),
      'INCORRECTLY_PARTITIONED_TOPICS',
      'Existing topic log has different number of partitions: expected 2, found 3',
    ],
    [
      'more than three topics',
      {},
      topology(subtopology('0', ['d', 'c', 'b', 'a', 'e'])),
      'MISSING_SOURCE_TOPICS',
      'Source topics a, b, c and 2 additional topics are missing.',
    ],
  ])('%s', (_, topics, asked, status, detail) => {
    expect(configured(topics, asked)).toMatchObject({ status, detail, missing: {} })
  })

  test.each([
    [
      'a loop',
      topology(
        subtopology('0', [], { repartitionSourceTopics: [internal('b')], repartitionSinkTopics: ['a'] }),
        subtopology('1', [], { repartitionSourceTopics: [internal('a')], repartitionSinkTopics: ['b'] }),
      ),
      /There may be loops in the topology/,
    ],
    [
      'a repartition topic that nothing flows into',
      topology(subtopology('0', [], { repartitionSourceTopics: [internal('a')] })),
      /a repartition source topic is never used as a sink topic/,
    ],
    [
      'a subtopology that reads nothing',
      topology(subtopology('0', [])),
      /No source topics found for subtopology 0/,
    ],
    [
      'a copartition group of topics that it does not have',
      topology(
        subtopology('0', ['orders'], {
          copartitionGroups: [{ sourceTopics: [7], sourceTopicRegex: [], repartitionSourceTopics: [] }],
        }),
      ),
      /Subtopology 0 has no topic 7/,
    ],
  ])('%s is no topology', (_, asked, message) => {
    const attempt = () => configure(asked, new GroupTopics({ orders: 2 }))
    expect(attempt).toThrow(KafkaError)
    expect(attempt).toThrow(message)
  })
})

test('a subtopology may read more topics than a call takes arguments', () => {
  const names = Array.from({ length: 200_000 }, (_, index) => `r${index}`)
  const wide = topology(
    subtopology('0', ['a'], { repartitionSinkTopics: names }),
    subtopology('1', [], {
      repartitionSourceTopics: names.map(name => internal(name)),
      stateChangelogTopics: [internal('log')],
      copartitionGroups: [
        { sourceTopics: [], sourceTopicRegex: [], repartitionSourceTopics: names.map((_, index) => index) },
      ],
    }),
  )
  expect(configured({ a: 3 }, wide)).toMatchObject({ tasks: { 0: 3, 1: 3 }, missing: { r0: 3, log: 3 } })
})

/** Each subtopology reads what the one before has repartitioned. */
const chain = (length: number) =>
  topology(
    subtopology('0', ['a'], { repartitionSinkTopics: ['r1'] }),
    ...Array.from({ length }, (_, index) =>
      subtopology(`${index + 1}`, [], {
        repartitionSourceTopics: [internal(`r${index + 1}`)],
        repartitionSinkTopics: index + 1 < length ? [`r${index + 2}`] : [],
        copartitionGroups: [{ sourceTopics: [], sourceTopicRegex: [], repartitionSourceTopics: [0] }],
      }),
    ),
  )

test('topics that are repartitioned are gone through once, however many of them are joined', () => {
  expect(configured({ a: 3 }, chain(60_000)).status).toBe('MISSING_INTERNAL_TOPICS')
})
