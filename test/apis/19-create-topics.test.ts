import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { createTopics } from '../../src/broker/apis/19-create-topics.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import {
  batchOf,
  eventually,
  latest,
  makeTopic,
  noTopicId,
  produceTo,
  uniqueName,
  versionsOf,
} from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

type Topic = Draft<typeof createTopics.request>['topics'][number]

function topicOf(name: string, draft: Partial<Topic> = {}): Topic {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...draft }
}

async function create(client: WireClient, topics: Topic[], { version = 7, validateOnly = false } = {}) {
  const answer = await client.call(createTopics, version, { topics, validateOnly, timeoutMs: 30_000 })
  return new Map(answer.topics.map(topic => [topic.name, topic]))
}

/** What becomes of one topic, as `ERROR: message`. */
async function refusal(client: WireClient, draft: Partial<Topic>, name = uniqueName()): Promise<string> {
  const { errorCode, errorMessage } = (await create(client, [topicOf(name, draft)])).get(name)!
  return `${errorName(errorCode)}: ${errorMessage}`
}

/** How many partitions a topic has, once there are as many as expected. */
async function partitionCount(client: WireClient, name: string, expected: number): Promise<number> {
  const request = { topics: [{ name }], allowAutoTopicCreation: false }
  const count = async () => (await client.call(metadata, 12, request)).topics[0]!.partitions.length
  return eventually(count, found => found === expected)
}

test('makes topics and describes them, in every version', async () => {
  const client = await connectToBroker()
  for (const version of versionsOf(createTopics)) {
    const name = uniqueName()
    const made = (await create(client, [topicOf(name, { numPartitions: 2 })], { version })).get(name)!
    expect(made).toMatchObject({ errorCode: 0, errorMessage: null })
    if (version >= 5) {
      expect(made).toMatchObject({ numPartitions: 2, replicationFactor: 1, topicConfigErrorCode: 0 })
      expect(made.configs!.length).toBeGreaterThan(30)
    }
    expect(made.topicId === noTopicId).toBe(version < 7)
  }
})

test('has topics ready for producers and consumers the moment it answers', async () => {
  const client = await connect((await startBroker()).address)
  const name = uniqueName()
  const { topicId } = (await create(client, [topicOf(name)])).get(name)!
  expect(await produceTo(client, { name, topicId }, batchOf(['a']))).toMatchObject({ errorCode: 0 })
  expect((await latest(client, name)).offset).toBe(1n)
})

test('fills in -1 from num.partitions and default.replication.factor', async () => {
  const client = await connect((await startBroker({ settings: { 'num.partitions': 4 } })).address)
  const name = uniqueName()
  const draft = { numPartitions: -1, replicationFactor: -1 }
  expect((await create(client, [topicOf(name, draft)])).get(name)).toMatchObject({
    errorCode: 0,
    numPartitions: 4,
    replicationFactor: 1,
  })
})

test('tells configs that were set from defaults, sorted by name', async () => {
  const client = await connectToBroker()
  const name = uniqueName()
  const set = [
    { name: 'retention.ms', value: '1000' },
    { name: 'cleanup.policy', value: 'compact,delete' },
  ]
  const configs = (await create(client, [topicOf(name, { configs: set })])).get(name)!.configs!
  const names = configs.map(each => each.name)
  expect(names).toEqual(names.toSorted())
  const [onTopic, byDefault] = [1, 5]
  const sourceOf = (name: string) => {
    const { value, configSource } = configs.find(each => each.name === name)!
    return [value, configSource]
  }
  expect(sourceOf('retention.ms')).toEqual(['1000', onTopic])
  expect(sourceOf('cleanup.policy')).toEqual(['compact,delete', onTopic])
  expect(sourceOf('max.message.bytes')).toEqual(['1048588', byDefault])
})

test('gives configs back as they were written', async () => {
  const client = await connectToBroker()
  const name = uniqueName()
  const set = [
    { name: 'retention.ms', value: ' +5 ' },
    { name: 'cleanup.policy', value: 'compact, delete' },
    { name: 'min.cleanable.dirty.ratio', value: '.5' },
  ]
  const { configs } = (await create(client, [topicOf(name, { configs: set })])).get(name)!
  for (const each of set) expect(configs).toContainEqual(expect.objectContaining(each))
})

test('judges each topic of a request by itself', async () => {
  const client = await connectToBroker()
  const [good, bad, twice] = [uniqueName(), uniqueName(), uniqueName()]
  const answers = await create(client, [
    topicOf(bad, { numPartitions: 0 }),
    topicOf(twice),
    topicOf(good),
    topicOf(twice),
  ])
  expect([...answers].map(([name, { errorCode }]) => [name, errorName(errorCode)]).toSorted()).toEqual(
    [
      [bad, 'INVALID_PARTITIONS'],
      [twice, 'INVALID_REQUEST'],
      [good, 'NONE'],
    ].toSorted(),
  )
  expect(answers.get(twice)!.errorMessage).toBe('Duplicate topic name.')
  expect(await partitionCount(client, good, 1)).toBe(1)
  expect(await partitionCount(client, twice, 0)).toBe(0)
})

test('refuses a name that is taken, illegal, or differs from another in dots and underscores alone', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client)
  expect(await refusal(client, {}, name)).toBe(`TOPIC_ALREADY_EXISTS: Topic '${name}' already exists.`)

  const illegal = 'INVALID_TOPIC_EXCEPTION: Topic name is invalid:'
  expect(await refusal(client, {}, '')).toBe(`${illegal} the empty string is not allowed`)
  expect(await refusal(client, {}, '..')).toBe(`${illegal} '..' is not allowed`)
  expect(await refusal(client, {}, 'x'.repeat(250))).toMatch(
    /INVALID_TOPIC_EXCEPTION.* longer than the max allowed length 249$/,
  )
  expect(await refusal(client, {}, 'a b')).toMatch(/INVALID_TOPIC_EXCEPTION.* other than ASCII alphanumerics/)

  const dotted = await makeTopic(client, { name: uniqueName('a.b') })
  const underscored = dotted.name.replace('.', '_')
  expect(await refusal(client, {}, underscored)).toBe(
    `INVALID_TOPIC_EXCEPTION: Topic '${underscored}' collides with existing topic: ${dotted.name}`,
  )
  expect(await refusal(client, {}, '__cluster_metadata')).toBe(
    'INVALID_REQUEST: Creation of internal topic __cluster_metadata is prohibited.',
  )
})

test('refuses counts that make no sense', async () => {
  const client = await connectToBroker()
  for (const numPartitions of [0, -2]) {
    expect(await refusal(client, { numPartitions })).toBe(
      'INVALID_PARTITIONS: Number of partitions was set to an invalid non-positive value.',
    )
  }
  for (const replicationFactor of [0, -2]) {
    expect(await refusal(client, { replicationFactor })).toBe(
      'INVALID_REPLICATION_FACTOR: Replication factor must be larger than 0, or -1 to use the default value.',
    )
  }
  expect(await refusal(client, { replicationFactor: 2 })).toMatch(
    /^INVALID_REPLICATION_FACTOR: Unable to replicate the partition 2 time\(s\)/,
  )
  expect(await refusal(client, { numPartitions: 20_000 })).toBe(
    'POLICY_VIOLATION: Excessively large number of partitions per request.',
  )
})

test('makes nothing of a request for more partitions than anybody means, counting what is refused for itself', async () => {
  const client = await connectToBroker()
  const refused = async (...topics: Topic[]) =>
    [...(await create(client, topics, { validateOnly: true })).values()].map(({ errorCode }) =>
      errorName(errorCode),
    )
  const half = { numPartitions: 6000 }
  const [name, other] = [uniqueName(), uniqueName()]
  const both = ['POLICY_VIOLATION', 'POLICY_VIOLATION']
  expect(await refused(topicOf(name, half), topicOf(other, half))).toEqual(both)
  expect(await refused(topicOf(name, half), topicOf('a b', half))).toEqual(both)
  const assignments = Array.from({ length: 5000 }, (_, partitionIndex) => ({
    partitionIndex,
    brokerIds: [1],
  }))
  const assigned = topicOf(other, { numPartitions: -1, replicationFactor: -1, assignments })
  expect(await refused(topicOf(name, half), assigned)).toEqual(both)
  // What is named twice is asked for by nobody, and nothing is given back.
  const twice = topicOf(other, half)
  expect((await refused(topicOf(name, half), twice, twice)).toSorted()).toEqual(['INVALID_REQUEST', 'NONE'])
  const negative = topicOf(other, { numPartitions: -20_000 })
  expect(await refused(topicOf(name, { numPartitions: 20_000 }), negative)).toEqual(both)
})

test('takes manual assignments that name the nodes there are', async () => {
  const client = await connectToBroker()
  const name = uniqueName()
  const assignments = [1, 0].map(partitionIndex => ({ partitionIndex, brokerIds: [1] }))
  const draft = { numPartitions: -1, replicationFactor: -1, assignments }
  expect((await create(client, [topicOf(name, draft)])).get(name)).toMatchObject({
    errorCode: 0,
    numPartitions: 2,
    replicationFactor: 1,
  })
})

test('refuses manual assignments that cannot be', async () => {
  const client = await connectToBroker()
  const assigned = (...assignments: [number, number[]][]) =>
    refusal(client, {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
    })
  const kind = 'INVALID_REPLICA_ASSIGNMENT:'
  const includes = `${kind} The manual partition assignment includes`
  expect(await assigned([0, [2]])).toBe(`${includes} broker 2, but no such broker is registered.`)
  expect(await assigned([0, []])).toBe(`${includes} an empty replica list.`)
  expect(await assigned([0, [1, 1]])).toBe(`${includes} the broker 1 more than once.`)
  expect(await assigned([1, [1]])).toBe(`${kind} partitions should be a consecutive 0-based integer sequence`)
  expect(await assigned([0, [1]], [0, [1]])).toBe(
    `${kind} Found multiple manual partition assignments for partition 0`,
  )
})

test('refuses a manual assignment beside a count', async () => {
  const client = await connectToBroker()
  const assignments = [{ partitionIndex: 0, brokerIds: [1] }]
  const given = 'INVALID_REQUEST: A manual partition assignment was specified, but'
  expect(await refusal(client, { numPartitions: -1, assignments })).toBe(
    `${given} replication factor was not set to -1.`,
  )
  expect(await refusal(client, { replicationFactor: -1, assignments })).toBe(
    `${given} numPartitions was not set to -1.`,
  )
})

test('refuses configs that are unknown, bad or null', async () => {
  const client = await connectToBroker()
  const withConfig = (name: string, value: string | null) => refusal(client, { configs: [{ name, value }] })
  expect(await withConfig('nope', '1')).toBe('INVALID_CONFIG: Unknown topic config name: nope')
  expect(await withConfig('retention.ms', 'abc')).toBe(
    'INVALID_CONFIG: Invalid value abc for configuration retention.ms: Not a number of type LONG',
  )
  expect(await withConfig('retention.ms', null)).toBe(
    'INVALID_CONFIG: Null value not supported for topic configs: retention.ms',
  )
})

test('only looks when it is told to validate', async () => {
  const client = await connectToBroker()
  const [name, bad] = [uniqueName(), uniqueName()]
  const topics = [topicOf(name, { numPartitions: 3 }), topicOf(bad, { numPartitions: 0 })]
  const answers = await create(client, topics, { validateOnly: true })
  expect(answers.get(name)).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 })
  expect(errorName(answers.get(bad)!.errorCode)).toBe('INVALID_PARTITIONS')
  expect(await partitionCount(client, name, 0)).toBe(0)
})

test('lets one of many win a name that all want at once', async () => {
  const client = await connectToBroker()
  const others = await Promise.all([1, 2, 3].map(() => connectAgain(client)))
  const name = uniqueName()
  const answers = await Promise.all([client, ...others].map(each => create(each, [topicOf(name)])))
  const codes = answers.map(answer => errorName(answer.get(name)!.errorCode))
  expect(codes.toSorted()).toEqual([
    'NONE',
    'TOPIC_ALREADY_EXISTS',
    'TOPIC_ALREADY_EXISTS',
    'TOPIC_ALREADY_EXISTS',
  ])
})

test('keeps topics, their ids and their configs through a restart', async () => {
  const disk = memoryDisk()
  const before = await startBroker({ disk })
  const topic = await makeTopic(await connect(before.address), {
    partitions: 3,
    configs: { 'max.message.bytes': '100' },
  })
  await before.stop()

  const client = await connect((await startBroker({ disk })).address)
  const { topics } = await client.call(metadata, 12, { topics: null })
  expect(topics).toMatchObject([{ name: topic.name, topicId: topic.topicId }])
  expect(topics[0]!.partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([1, 1, 1])
  const { errorCode } = await produceTo(client, topic, batchOf(['x'.repeat(100)]))
  expect(errorName(errorCode)).toBe('MESSAGE_TOO_LARGE')
})

async function connectAgain(client: WireClient): Promise<WireClient> {
  const { host, port } = (await client.call(metadata, 12, { topics: [] })).brokers[0]!
  return connect(`${host}:${port}`)
}
