import { expect, test } from 'vitest'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import {
  batchOf,
  latest,
  makeTopic,
  noTopicId,
  produceTo,
  strangeTopicId,
  uniqueName,
  versionsOf,
} from '../support/requests.ts'

type Request = Draft<typeof metadata.request>

const named = (...names: string[]): Request['topics'] => names.map(name => ({ name }))

test('describes brokers, cluster and partitions, in every version', async () => {
  const client = await connectToBroker()
  const { name, topicId } = await makeTopic(client, { partitions: 3 })
  for (const version of versionsOf(metadata)) {
    const { brokers, clusterId, controllerId, topics } = await client.call(metadata, version, {
      topics: named(name),
    })
    const [{ nodeId, host, port } = expect.fail('no broker')] = brokers
    expect(host).toBe('127.0.0.1')
    expect(port).toBeGreaterThan(0)
    if (version >= 1) expect(controllerId).toBe(nodeId)
    if (version >= 2) expect(clusterId).toMatch(/^[\w-]{22}$/)
    expect(topics[0]).toMatchObject({
      errorCode: 0,
      name,
      isInternal: false,
      topicId: version >= 10 ? topicId : noTopicId,
    })
    const partitions = topics[0]!.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    expect(partitions).toEqual(
      [0, 1, 2].map(partitionIndex => ({
        errorCode: 0,
        partitionIndex,
        leaderId: nodeId,
        leaderEpoch: version >= 7 ? 0 : -1,
        replicaNodes: [nodeId],
        isrNodes: [nodeId],
        offlineReplicas: [],
      })),
    )
  }
})

test('lists all topics for null, and for an empty list in version 0 alone', async () => {
  const client = await connectToBroker()
  const names = [(await makeTopic(client)).name, (await makeTopic(client)).name]
  const listed = async (version: number, topics: Request['topics']) =>
    (await client.call(metadata, version, { topics })).topics.map(({ name }) => name)
  expect(await listed(0, [])).toEqual(expect.arrayContaining(names))
  for (const version of [1, 12]) {
    expect(await listed(version, null)).toEqual(expect.arrayContaining(names))
    expect(await listed(version, [])).toEqual([])
  }
})

test('finds topics by id, and tells UNKNOWN_TOPIC_ID', async () => {
  const client = await connectToBroker()
  const { name, topicId } = await makeTopic(client)
  const { topics } = await client.call(metadata, 12, {
    topics: [
      { name: null, topicId },
      { name: null, topicId: strangeTopicId },
    ],
  })
  const byId = new Map(topics.map(topic => [topic.topicId, topic]))
  expect(byId.get(topicId)).toMatchObject({ errorCode: 0, name })
  expect(errorName(byId.get(strangeTopicId)!.errorCode)).toBe('UNKNOWN_TOPIC_ID')
  expect(byId.get(strangeTopicId)!.name).toBeNull()
})

test('tells each topic once, and only those that are named by id where some are', async () => {
  const client = await connectToBroker()
  const [{ name, topicId }, other] = [await makeTopic(client), await makeTopic(client)]
  const told = async (topics: { name: string | null; topicId: string }[]) =>
    (await client.call(metadata, 12, { topics, allowAutoTopicCreation: false })).topics.map(
      topic => topic.name,
    )
  const byName = { name, topicId: noTopicId }
  const byId = { name: null, topicId }
  expect(await told([byName, byName])).toEqual([name])
  expect(await told([byId, byId])).toEqual([name])
  expect(await told([byId, { name: other.name, topicId: noTopicId }])).toEqual([name])
  expect(await told([{ name: other.name, topicId }])).toEqual([name])
})

test('makes a topic that is asked for, usable at once', async () => {
  const { address } = await startBroker({ settings: { 'num.partitions': 3 } })
  const client = await connect(address)
  const name = uniqueName()
  const { topics } = await client.call(metadata, 12, { topics: named(name) })
  const [topic = expect.fail('no topic')] = topics
  expect(topic).toMatchObject({ errorCode: 0, name })
  expect(topic.partitions.length).toBe(3)
  const { topicId } = topic
  expect(await produceTo(client, { name, topicId }, batchOf(['a']), { index: 2 })).toMatchObject({
    errorCode: 0,
  })
  expect((await latest(client, name, 2)).offset).toBe(1n)
})

test('makes internal topics as such', async () => {
  const { address } = await startBroker({ settings: { 'offsets.topic.num.partitions': 5 } })
  const client = await connect(address)
  const { topics } = await client.call(metadata, 12, { topics: named('__consumer_offsets') })
  expect(topics[0]).toMatchObject({ errorCode: 0, isInternal: true })
  expect(topics[0]!.partitions.length).toBe(5)
})

test('makes no topic where the request declines it', async () => {
  const client = await connectToBroker()
  const name = uniqueName()
  for (let attempt = 0; attempt < 2; attempt++) {
    const { topics } = await client.call(metadata, 4, { topics: named(name), allowAutoTopicCreation: false })
    expect(errorName(topics[0]!.errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  }
})

test('makes no topic where the broker must not', async () => {
  const { address } = await startBroker({ settings: { 'auto.create.topics.enable': false } })
  const client = await connect(address)
  const { topics } = await client.call(metadata, 12, { topics: named(uniqueName(), 'not a name') })
  const codes = topics.map(({ errorCode }) => errorName(errorCode))
  expect(codes).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION'])
})

test('makes no topic of the name of the log of the cluster', async () => {
  const client = await connectToBroker()
  for (let attempt = 0; attempt < 2; attempt++) {
    const { topics } = await client.call(metadata, 12, { topics: named('__cluster_metadata') })
    expect(errorName(topics[0]!.errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  }
})

test('makes no topic with more copies than there are nodes', async () => {
  const { address } = await startBroker({ settings: { 'default.replication.factor': 3 } })
  const client = await connect(address)
  const { topics } = await client.call(metadata, 12, { topics: named(uniqueName()) })
  expect(topics.map(({ errorCode }) => errorName(errorCode))).toEqual(['INVALID_REPLICATION_FACTOR'])
})

test('refuses names that no topic can have', async () => {
  const client = await connectToBroker()
  const names = ['', '.', 'a b', 'x'.repeat(250)]
  const { topics } = await client.call(metadata, 12, { topics: named(...names) })
  expect(topics.map(({ errorCode }) => errorName(errorCode))).toEqual(
    names.map(() => 'INVALID_TOPIC_EXCEPTION'),
  )
})

test('tells what may be done with a topic when it is asked to', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client)
  const operations = async (includeTopicAuthorizedOperations: boolean) => {
    const request = { topics: named(name), includeTopicAuthorizedOperations }
    return (await client.call(metadata, 12, request)).topics[0]!.topicAuthorizedOperations
  }
  expect(await operations(true)).toBe(3576)
  expect(await operations(false)).toBe(-2147483648)
})

test('tells of a topic that is not there what may be done with it, and whether it is internal', async () => {
  const client = await connect((await startBroker()).address)
  const request = { topics: named('a b', '__consumer_offsets', uniqueName()), allowAutoTopicCreation: false }
  for (const version of [8, 10]) {
    const { topics } = await client.call(metadata, version, {
      ...request,
      includeTopicAuthorizedOperations: true,
    })
    expect(topics.map(({ topicAuthorizedOperations }) => topicAuthorizedOperations)).toEqual([
      3576, 3576, 3576,
    ])
    expect(topics.map(({ isInternal }) => isInternal)).toEqual([false, true, false])
  }
  const { topics } = await client.call(metadata, 12, request)
  expect(topics[0]!.topicAuthorizedOperations).toBe(-2147483648)
})

test('tells what may be done with the cluster when it is asked to, in the versions that can', async () => {
  const client = await connectToBroker()
  const operations = async (version: number, includeClusterAuthorizedOperations: boolean) =>
    (await client.call(metadata, version, { topics: [], includeClusterAuthorizedOperations }))
      .clusterAuthorizedOperations
  for (const version of [8, 9, 10]) {
    expect(await operations(version, true)).toBe(8096)
    expect(await operations(version, false)).toBe(-2147483648)
  }
})
