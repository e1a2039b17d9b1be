// Groups of the classic protocol: sharing, leaving, committing, seeking.
import assert from 'node:assert/strict'
import { eventually, unique } from '../scenarios.mjs'
import { createTopic, openAdmin, openMember, openProducer } from './kit.mjs'

const numbered = (from, to, partitions = 1) =>
  Array.from({ length: to - from }, (_, index) => ({
    value: `${from + index}`,
    partition: (from + index) % partitions,
  }))

async function settle(members, share) {
  const state = () => JSON.stringify(members.map(member => member.partitions()))
  await eventually(
    `${share} partitions each`,
    () => {
      const owned = members.map(member => member.partitions() ?? [])
      return (
        owned.every(partitions => partitions.length === share) &&
        new Set(owned.flat()).size === owned.flat().length
      )
    },
    { state },
  )
}

async function delivered(members, from, to) {
  const wanted = Array.from({ length: to - from }, (_, index) => `${from + index}`)
  const values = () =>
    new Set(members.flatMap(member => member.messages.map(({ value }) => value.toString())))
  await eventually(`records ${from} to ${to}`, () => wanted.every(value => values().has(value)))
}

async function groupRebalance(context) {
  const topic = await createTopic(context, 'rebalance', { numPartitions: 6 })
  const groupId = unique('kafkajs-rebalance')
  const producer = await openProducer(context)
  const members = await Promise.all([0, 1, 2].map(() => openMember(context, topic, { groupId })))
  await settle(members, 2)
  await producer.send({ topic, messages: numbered(0, 60, 6) })
  await delivered(members, 0, 60)

  const [leaver, ...stayers] = members
  await leaver.consumer.disconnect()
  await settle(stayers, 3)
  const before = stayers.map(member => member.messages.length)
  await producer.send({ topic, messages: numbered(60, 120, 6) })
  await delivered(stayers, 60, 120)
  stayers.forEach((member, index) => {
    const owned = new Set(member.partitions())
    const strays = member.messages.slice(before[index]).filter(({ partition }) => !owned.has(partition))
    assert.deepEqual(strays, [], 'a record came from a partition of the other member')
  })
}

async function commitResume(context) {
  const topic = await createTopic(context, 'resume')
  const groupId = unique('kafkajs-resume')
  const producer = await openProducer(context)
  await producer.send({ topic, messages: numbered(0, 10) })
  const first = await openMember(context, topic, {
    groupId,
    autoCommit: false,
    eachMessage: async ({ topic, partition, message, consumer }) => {
      if (message.offset === '3')
        await consumer.commitOffsets([{ topic, partition, offset: '4', metadata: 'note' }])
    },
  })
  await first.received(10)
  await first.consumer.disconnect()
  const admin = await openAdmin(context)
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.deepEqual(partitions, [{ partition: 0, offset: '4', metadata: 'note' }])
  const second = await openMember(context, topic, { groupId, autoCommit: false })
  const resumed = await second.received(6)
  assert.deepEqual(
    resumed.map(({ offset }) => offset),
    ['4', '5', '6', '7', '8', '9'],
  )
}

async function seekOffset(context) {
  const topic = await createTopic(context, 'seek')
  const producer = await openProducer(context)
  await producer.send({ topic, messages: numbered(0, 50) })
  const member = await openMember(context, topic)
  await member.received(50)
  member.messages.length = 0
  member.consumer.seek({ topic, partition: 0, offset: '37' })
  const messages = await member.received(13)
  assert.equal(messages[0].offset, '37')
  assert.equal(messages.at(-1).offset, '49')
}

async function seekTime(context) {
  const topic = await createTopic(context, 'seek-time')
  const producer = await openProducer(context)
  const start = Date.now() - 60_000
  const messages = Array.from({ length: 10 }, (_, index) => ({
    value: `${index}`,
    timestamp: `${start + index * 1_000}`,
  }))
  await producer.send({ topic, messages: messages.slice(0, 6) })
  await producer.send({ topic, messages: messages.slice(6) })
  const admin = await openAdmin(context)
  const offsetAt = async time => (await admin.fetchTopicOffsetsByTimestamp(topic, time))[0].offset
  assert.equal(await offsetAt(start - 5_000), '0')
  assert.equal(await offsetAt(start + 3_000), '3')
  assert.equal(await offsetAt(start + 3_001), '4')
  assert.equal(await offsetAt(start + 8_500), '9')
  // Later than every record: kafkajs answers with the end.
  assert.equal(await offsetAt(start + 9_001), '10')
}

async function beginningEndOffsets(context) {
  const topic = await createTopic(context, 'bounds', { numPartitions: 2 })
  const producer = await openProducer(context)
  await producer.send({ topic, messages: numbered(0, 5).map(({ value }) => ({ value, partition: 1 })) })
  const admin = await openAdmin(context)
  const offsets = await admin.fetchTopicOffsets(topic)
  assert.deepEqual(
    offsets.sort((one, other) => one.partition - other.partition).map(({ low, high }) => [low, high]),
    [
      ['0', '0'],
      ['0', '5'],
    ],
  )
}

async function offsetOutOfRange(context) {
  const topic = await createTopic(context, 'out-of-range')
  const producer = await openProducer(context)
  await producer.send({ topic, messages: numbered(0, 10) })
  const member = await openMember(context, topic)
  await member.received(10)
  member.messages.length = 0
  member.consumer.seek({ topic, partition: 0, offset: '1000' })
  const messages = await member.received(10)
  assert.equal(messages[0].offset, '0')
}

async function patternSubscription(context) {
  const stem = unique('kafkajs-pattern')
  const admin = await openAdmin(context)
  const topics = [`${stem}-a`, `${stem}-b`, `other-${stem}`]
  await admin.createTopics({
    topics: topics.map(topic => ({ topic, numPartitions: 1, replicationFactor: 1 })),
  })
  const producer = await openProducer(context)
  for (const topic of topics) await producer.send({ topic, messages: [{ value: topic }] })
  const member = await openMember(context, new RegExp(`^${stem}-.*`))
  const messages = await member.received(2)
  assert.deepEqual(messages.map(({ value }) => value.toString()).sort(), topics.slice(0, 2))
}

async function unknownGroup(context) {
  const topic = await createTopic(context, 'unknown-group')
  const groupId = unique('kafkajs-nobody')
  const admin = await openAdmin(context)
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.deepEqual(partitions, [{ partition: 0, offset: '-1', metadata: null }])
  const { groups } = await admin.describeGroups([groupId])
  assert.equal(groups[0].state, 'Dead')
  assert.deepEqual(groups[0].members, [])
  await assert.rejects(
    admin.deleteGroups([groupId]),
    error => error.groups[0].error.type === 'GROUP_ID_NOT_FOUND',
  )
}

export const groupScenarios = {
  'group-rebalance': groupRebalance,
  'commit-resume': commitResume,
  'seek-offset': seekOffset,
  'seek-time': seekTime,
  'beginning-end-offsets': beginningEndOffsets,
  'offset-out-of-range': offsetOutOfRange,
  'pattern-subscription': patternSubscription,
  'unknown-group': unknownGroup,
}
