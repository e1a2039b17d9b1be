// Records in, records out: codecs, acknowledgements, sizes, partitions, waiting.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { batchCodecs } from '../batches.mjs'
import { eventually, unique } from '../scenarios.mjs'
import { codecs } from './codecs.mjs'
import { createTopic, openAdmin, openMember, openProducer } from './kit.mjs'

/** Messages of every shape: null and empty keys and values, all byte values, headers, own timestamps. */
function sampleMessages(now) {
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const shapes = [
    { key: null, value: Buffer.from('plain') },
    { key: Buffer.from('k'), value: null },
    { key: Buffer.alloc(0), value: Buffer.alloc(0) },
    { key: everyByte, value: everyByte },
    { key: Buffer.from('ключ'), value: Buffer.from('値') },
    { key: Buffer.from('long'), value: Buffer.from('compressible '.repeat(1_000)) },
    { key: Buffer.from('noise'), value: randomBytes(5_000) },
  ]
  return Array.from({ length: 70 }, (_, index) => ({
    ...shapes[index % shapes.length],
    headers: index % 2 ? { trace: Buffer.from([index, 0, 255]), empty: Buffer.alloc(0) } : {},
    timestamp: String(now - 70_000 + index * 1_000),
  }))
}

function produceConsume(codec) {
  return async context => {
    const topic = await createTopic(context, `codec-${codec}`)
    const producer = await openProducer(context)
    const sent = sampleMessages(Date.now())
    const compression = codecs[codec]
    for (const messages of [sent.slice(0, 50), sent.slice(50, 51), sent.slice(51)]) {
      await producer.send({ topic, compression, messages })
    }
    assert.deepEqual(await batchCodecs(context.address, topic), [codec, codec, codec])
    const member = await openMember(context, topic)
    const received = await member.received(sent.length)
    assert.deepEqual(
      received.map(({ key, value, headers, timestamp }) => ({ key, value, headers, timestamp })),
      sent,
    )
    assert.deepEqual(
      received.map(({ offset }) => offset),
      sent.map((_, index) => String(index)),
    )
  }
}

function acks(level) {
  return async context => {
    const topic = await createTopic(context, `acks${level}`)
    const producer = await openProducer(context)
    const messages = Array.from({ length: 20 }, (_, index) => ({ value: `${index}` }))
    const answer = await producer.send({ topic, acks: level, messages })
    // Without acknowledgement there is no answer to tell an offset.
    if (level !== 0) assert.equal(answer[0].baseOffset, '0')
    const { received } = await openMember(context, topic)
    assert.deepEqual(
      (await received(20)).map(({ value }) => value.toString()),
      messages.map(({ value }) => value),
    )
  }
}

async function idempotentProducer(context) {
  const topic = await createTopic(context, 'idempotent', { numPartitions: 3 })
  const producer = await openProducer(context, { idempotent: true, maxInFlightRequests: 5 })
  for (let round = 0; round < 10; round++) {
    const messages = Array.from({ length: 30 }, (_, index) => ({
      value: `${round * 30 + index}`,
      partition: index % 3,
    }))
    await producer.send({ topic, messages })
  }
  const { received } = await openMember(context, topic)
  const messages = await received(300)
  for (const partition of [0, 1, 2]) {
    const values = messages
      .filter(message => message.partition === partition)
      .map(({ value }) => Number(value))
    assert.deepEqual(
      values,
      Array.from({ length: 100 }, (_, index) => index * 3 + partition),
    )
  }
}

async function largeMessage(context) {
  const topic = await createTopic(context, 'large')
  const producer = await openProducer(context)
  const value = randomBytes(1_000_000)
  for (let index = 0; index < 3; index++)
    await producer.send({ topic, messages: [{ key: `${index}`, value }] })
  const { received } = await openMember(context, topic)
  for (const message of await received(3)) assert.ok(message.value.equals(value), 'the value differs')
}

async function tooLargeMessageRefused(context) {
  const small = await createTopic(context, 'max-bytes', {
    configEntries: [{ name: 'max.message.bytes', value: '10000' }],
  })
  const usual = await createTopic(context, 'too-large')
  const producer = await openProducer(context)
  const refused = { type: 'MESSAGE_TOO_LARGE' }
  await assert.rejects(producer.send({ topic: small, messages: [{ value: randomBytes(11_000) }] }), refused)
  await assert.rejects(
    producer.send({ topic: usual, messages: [{ value: randomBytes(1_100_000) }] }),
    refused,
  )
  await producer.send({ topic: small, messages: [{ value: randomBytes(9_000) }] })
  const admin = await openAdmin(context)
  assert.equal((await admin.fetchTopicOffsets(small))[0].high, '1')
  assert.equal((await admin.fetchTopicOffsets(usual))[0].high, '0')
}

async function manyPartitions(context) {
  const topic = await createTopic(context, 'many', { numPartitions: 24 })
  const producer = await openProducer(context)
  const messages = Array.from({ length: 480 }, (_, index) => ({ value: `${index}`, partition: index % 24 }))
  await producer.send({ topic, messages })
  const { received } = await openMember(context, topic)
  const delivered = await received(480)
  for (const { value, partition } of delivered) assert.equal(Number(value) % 24, partition)
  assert.equal(new Set(delivered.map(({ value }) => value.toString())).size, 480)
}

async function keyedPartitioner(context) {
  const topic = await createTopic(context, 'keyed', { numPartitions: 8 })
  const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`)
  for (let round = 0; round < 2; round++) {
    const producer = await openProducer(context)
    await producer.send({ topic, messages: keys.map(key => ({ key, value: `${round}` })) })
  }
  const { received } = await openMember(context, topic)
  const delivered = await received(80)
  const partitionsOf = key =>
    new Set(delivered.filter(message => message.key.toString() === key).map(({ partition }) => partition))
  for (const key of keys) assert.equal(partitionsOf(key).size, 1, `${key} went to several partitions`)
  assert.ok(new Set(delivered.map(({ partition }) => partition)).size > 1, 'all keys went to one partition')
}

async function autoCreateTopic(context) {
  const topic = unique('kafkajs-auto')
  const producer = await openProducer(context, { allowAutoTopicCreation: true })
  await producer.send({ topic, messages: [{ value: 'first' }] })
  const { received } = await openMember(context, topic)
  assert.equal((await received(1))[0].value.toString(), 'first')
  const admin = await openAdmin(context)
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  assert.equal(topics[0].partitions.length, 1)
}

async function longPoll(context) {
  const topic = await createTopic(context, 'long-poll')
  // The wait is longer than the time `received` allows: only a fetch that wakes up early passes.
  const member = await openMember(context, topic, { maxWaitTimeInMs: 40_000, sessionTimeout: 30_000 })
  await eventually('the first assignment', () => member.partitions())
  await sleep(700)
  const producer = await openProducer(context)
  await producer.send({ topic, messages: [{ value: 'wake' }] })
  assert.equal((await member.received(1))[0].value.toString(), 'wake')
  // The next fetch is parked as well; another record lets the consumer leave.
  await producer.send({ topic, messages: [{ value: 'leave' }] })
  await member.received(2)
  await producer.send({ topic, messages: [{ value: 'end' }] })
}

async function emptyTopic(context) {
  const topic = await createTopic(context, 'empty', { numPartitions: 2 })
  const admin = await openAdmin(context)
  const offsets = await admin.fetchTopicOffsets(topic)
  assert.deepEqual(
    offsets.map(({ partition, offset, low, high }) => ({ partition, offset, low, high })).sort(byPartition),
    [0, 1].map(partition => ({ partition, offset: '0', low: '0', high: '0' })),
  )
  const member = await openMember(context, topic)
  await sleep(1_000)
  assert.deepEqual(member.messages, [])
}

const byPartition = (one, other) => one.partition - other.partition

async function compactedTopicNeedsKeys(context) {
  const topic = await createTopic(context, 'compacted', {
    configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
  })
  const producer = await openProducer(context)
  await assert.rejects(producer.send({ topic, messages: [{ value: 'keyless' }] }), { code: 87 })
  await producer.send({ topic, messages: [{ key: 'k', value: 'keyed' }] })
  const { received } = await openMember(context, topic)
  assert.equal((await received(1))[0].value.toString(), 'keyed')
}

export const recordScenarios = {
  ...Object.fromEntries(
    Object.keys(codecs).map(codec => [`produce-consume-${codec}`, produceConsume(codec)]),
  ),
  'idempotent-producer': idempotentProducer,
  'acks-0': acks(0),
  'acks-1': acks(1),
  'acks-all': acks(-1),
  'large-message': largeMessage,
  'too-large-message-refused': tooLargeMessageRefused,
  'many-partitions': manyPartitions,
  'keyed-partitioner': keyedPartitioner,
  'auto-create-topic': autoCreateTopic,
  'long-poll': longPoll,
  'empty-topic': emptyTopic,
  'compacted-topic-needs-keys': compactedTopicNeedsKeys,
}
