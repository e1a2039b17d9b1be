import { describe, expect, test } from 'vitest'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { describeConfigs } from '../../src/broker/apis/32-describe-configs.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { commitTo, groupPlace } from '../support/group-requests.ts'
import { makeTopic } from '../support/requests.ts'
import { beatOver, beatUntil, leaveOver } from '../support/streams-requests.ts'
import { internal, StreamsThread, subtopology, topology } from '../support/streams-scene.ts'

/** Reads a topic of four partitions, counts what it finds there, and counts again by another key. */
async function place() {
  const { client, groupId } = await groupPlace()
  const { name, topicId } = await makeTopic(client, { partitions: 4 })
  const again = `${groupId}-again-repartition`
  const counts = `${groupId}-counts-changelog`
  const counting = topology(
    subtopology('0', [name], {
      stateChangelogTopics: [internal(counts, 0, { 'cleanup.policy': 'compact' })],
      repartitionSinkTopics: [again],
    }),
    subtopology('1', [], {
      repartitionSourceTopics: [internal(again, 0, { 'retention.ms': '-1' })],
      stateChangelogTopics: [internal(`${groupId}-more-changelog`)],
    }),
  )
  const thread = (memberId: string) => new StreamsThread(memberId, { group: groupId, topology: counting })
  return { client, groupId, name, topicId, again, counts, counting, thread }
}

const all = ['0', '1'].flatMap(id => [0, 1, 2, 3].map(partition => `${id}_${partition}`))

describe('a Streams application', () => {
  test('gets its internal topics, as wide as its tasks and with the settings it asks for', async () => {
    const { client, again, counts, thread } = await place()
    const a = thread('a')
    await beatUntil(client, [a], () => a.active.size === all.length)
    const { topics } = await client.call(metadata, 12, {
      topics: [{ name: again }, { name: counts }],
      allowAutoTopicCreation: false,
    })
    expect(topics.map(({ errorCode, partitions }) => [errorCode, partitions.length])).toEqual([
      [0, 4],
      [0, 4],
    ])
    const { results } = await client.call(describeConfigs, 4, {
      resources: [
        { resourceType: 2, resourceName: again, configurationKeys: ['retention.ms'] },
        { resourceType: 2, resourceName: counts, configurationKeys: ['cleanup.policy'] },
      ],
    })
    expect(results.map(({ configs }) => configs[0]!.value).sort()).toEqual(['-1', 'compact'])
  })

  test('shares its tasks among its threads, each run once', async () => {
    const { client, thread } = await place()
    const threads = ['a', 'b', 'c'].map(thread)
    const held = () => threads.flatMap(({ active }) => [...active])
    await beatUntil(client, threads, () => {
      expect(new Set(held()).size).toBe(held().length)
      return threads.every(({ active }) => active.size > 0) && held().length === all.length
    })
    expect(held().sort()).toEqual(all)
    await leaveOver(client, threads[0]!)
    const stayed = threads.slice(1)
    await beatUntil(client, stayed, () => held().length === all.length)
    expect(stayed.map(({ active }) => active.size)).toEqual([4, 4])
  })

  test('commits and reads offsets with the epochs of its members', async () => {
    const { client, groupId, name, topicId, thread } = await place()
    const a = thread('a')
    await beatUntil(client, [a], () => a.active.size === all.length)
    const commit = (generationIdOrMemberEpoch: number, memberId = 'a') =>
      commitTo(client, groupId, { name, topicId }, { 1: 7n }, { generationIdOrMemberEpoch, memberId })
    expect(await commit(a.memberEpoch)).toEqual(['NONE'])
    expect(await commit(a.memberEpoch + 1)).toEqual(['STALE_MEMBER_EPOCH'])
    expect(await commit(a.memberEpoch, 'b')).toEqual(['UNKNOWN_MEMBER_ID'])
    const fetch = async (memberId: string | null, memberEpoch: number) => {
      const { groups } = await client.call(offsetFetch, 9, {
        groups: [{ groupId, memberId, memberEpoch, topics: [{ name, partitionIndexes: [1] }] }],
      })
      const [group] = groups
      return group!.errorCode === 0
        ? group!.topics[0]!.partitions[0]!.committedOffset
        : errorName(group!.errorCode)
    }
    expect(await fetch('a', a.memberEpoch)).toBe(7n)
    expect(await fetch(null, -1)).toBe(7n)
    expect(await fetch('a', a.memberEpoch - 1)).toBe('STALE_MEMBER_EPOCH')
    expect(await fetch('b', a.memberEpoch)).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('refused', () => {
  test.each([
    [
      '__consumer_offsets',
      'Use of Kafka internal topics __consumer_offsets in a Kafka Streams topology is prohibited.',
    ],
    ['a b', 'Topic names a b are not valid topic names.'],
  ])('a topology that reads %s', async (topic, message) => {
    const { client, groupId } = await groupPlace()
    const thread = new StreamsThread('a', { group: groupId, topology: topology(subtopology('0', [topic])) })
    expect(await beatOver(client, thread)).toMatchObject({
      error: 'STREAMS_INVALID_TOPOLOGY',
      errorMessage: message,
    })
  })

  test('one whose changelog says how many partitions it has', async () => {
    const { client, groupId, name } = await place()
    const decided = topology(subtopology('0', [name], { stateChangelogTopics: [internal('log', 3)] }))
    const thread = new StreamsThread('a', { group: groupId, topology: decided })
    expect(await beatOver(client, thread)).toMatchObject({
      error: 'STREAMS_INVALID_TOPOLOGY',
      errorMessage: 'Changelog topic log must have an undefined partition count, but it is set to 3.',
    })
  })

  test('a member of an epoch that is not its own, and one that nobody knows', async () => {
    const { client, thread } = await place()
    const a = thread('a')
    await beatOver(client, a)
    a.memberEpoch = 99
    expect(await beatOver(client, a)).toMatchObject({ error: 'FENCED_MEMBER_EPOCH' })
    const b = thread('b')
    b.memberEpoch = 1
    expect(await beatOver(client, b)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  })

  test('another topology, while there is one', async () => {
    const { client, groupId, name, thread } = await place()
    await beatOver(client, thread('a'))
    const other = new StreamsThread('b', { group: groupId, topology: topology(subtopology('0', [name])) })
    expect(await beatOver(client, other)).toMatchObject({
      error: 'INVALID_REQUEST',
      errorMessage: 'Topology updates are not supported yet.',
    })
  })

  test('static members', async () => {
    const { client, thread } = await place()
    expect(await beatOver(client, thread('a'), { instanceId: 'one' })).toMatchObject({
      error: 'INVALID_REQUEST',
      errorMessage: 'Static membership is not yet supported.',
    })
  })
})
