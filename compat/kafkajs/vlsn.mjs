// Topics whose records are numbered by their writer, and their ordered view. odradek alone has them.
import assert from 'node:assert/strict'
import { eventually, unique } from '../scenarios.mjs'
import { setGroupConfig } from '../wire.mjs'
import { createTopic, openAdmin, openMember, openProducer } from './kit.mjs'

const partitions = 12

export const createVlsnTopic = (context, label) =>
  createTopic(context, label, {
    numPartitions: partitions,
    configEntries: [{ name: 'odradek.partitioning', value: 'vlsn' }],
  })

const keyOf = vlsn => {
  const key = Buffer.alloc(8)
  key.writeBigInt64BE(BigInt(vlsn))
  return key
}

/** Writes the VLSNs `from` to `to` - 1, each with itself as its value. */
export async function writeVlsns(context, topic, from, to) {
  const producer = await openProducer(context)
  const messages = Array.from({ length: to - from }, (_, index) => ({
    key: keyOf(from + index),
    value: `${from + index}`,
    partition: (from + index) % partitions,
  }))
  await producer.send({ topic, messages })
}

/** Records of a view in order, `from` to `to` - 1, each at the offset that is its VLSN. */
function checkOrder(from, to, messages) {
  assert.deepEqual(
    messages.map(({ partition, offset, key, value }) => [
      partition,
      Number(offset),
      Number(key.readBigInt64BE()),
      `${value}`,
    ]),
    Array.from({ length: to - from }, (_, index) => [0, from + index, from + index, `${from + index}`]),
  )
}

async function viewOrder(context) {
  const topic = await createVlsnTopic(context, 'vlsn-order')
  await writeVlsns(context, topic, 0, 3_000)
  const member = await openMember(context, `${topic}.vlsn`)
  checkOrder(0, 3_000, await member.received(3_000))
  await writeVlsns(context, topic, 3_000, 3_100)
  checkOrder(0, 3_100, await member.received(3_100))
  const producer = await openProducer(context, { retry: { retries: 0 } })
  const sending = producer.send({ topic: `${topic}.vlsn`, messages: [{ value: 'no' }] })
  await assert.rejects(sending, { type: 'INVALID_TOPIC_EXCEPTION' })
}

async function viewSeek(context) {
  const topic = await createVlsnTopic(context, 'vlsn-seek')
  const view = `${topic}.vlsn`
  await writeVlsns(context, topic, 0, 2_000)
  const member = await openMember(context, view)
  await member.received(2_000)
  for (const vlsn of [1_234, 1_999, 7]) {
    member.messages.length = 0
    member.consumer.seek({ topic: view, partition: 0, offset: String(vlsn) })
    const range = Math.min(250, 2_000 - vlsn)
    checkOrder(vlsn, vlsn + range, (await member.received(range)).slice(0, range))
  }
  const admin = await openAdmin(context)
  assert.deepEqual(await admin.fetchTopicOffsets(view), [
    { partition: 0, offset: '2000', high: '2000', low: '0' },
  ])
}

async function viewGroup(context) {
  const topic = await createVlsnTopic(context, 'vlsn-group')
  const view = `${topic}.vlsn`
  const groupId = unique('kafkajs-vlsn-group')
  await writeVlsns(context, topic, 0, 1_000)
  const first = await openMember(context, view, { groupId, autoCommit: false })
  await first.received(1_000)
  await first.consumer.commitOffsets([{ topic: view, partition: 0, offset: '417' }])
  await first.consumer.disconnect()
  const admin = await openAdmin(context)
  const fetched = await admin.fetchOffsets({ groupId })
  assert.deepEqual(fetched, [{ topic: view, partitions: [{ partition: 0, offset: '417', metadata: null }] }])
  const [{ high }] = await admin.fetchTopicOffsets(view)
  assert.equal(high - fetched[0].partitions[0].offset, 583, 'the lag')
  const second = await openMember(context, view, { groupId, autoCommit: false })
  checkOrder(417, 1_000, await second.received(583))
}

/** One group whose member knows nothing of the strategy: it commits by partition, and resumes. */
async function commitBy(context, strategy) {
  const topic = await createVlsnTopic(context, strategy)
  const groupId = unique(`kafkajs-${strategy}`)
  await setGroupConfig(context.address, groupId, 'odradek.commit.strategy', strategy)
  await writeVlsns(context, topic, 0, 120)
  const first = await openMember(context, topic, { groupId, autoCommit: false })
  await first.received(120)
  // VLSN 54 is the first that is left open; partition 0 is ahead.
  const offsets = Array.from({ length: partitions }, (_, partition) => ({
    topic,
    partition,
    offset: partition === 0 ? '8' : partition < 6 ? '5' : '4',
  }))
  await first.consumer.commitOffsets(offsets)
  await first.consumer.disconnect()
  const admin = await openAdmin(context)
  const [fetched] = await admin.fetchOffsets({ groupId, topics: [`${topic}.vlsn`] })
  assert.equal(fetched.partitions[0].offset, '54')
  const second = await openMember(context, topic, { groupId, autoCommit: false })
  const isOpen = vlsn => vlsn >= 54 && (strategy === 'vlsn' || vlsn % partitions > 0 || vlsn >= 96)
  const open = Array.from({ length: 120 }, (_, vlsn) => vlsn).filter(isOpen)
  const values = () => second.messages.map(({ value }) => Number(value)).sort((one, other) => one - other)
  await eventually('what is open', () => values().length >= open.length)
  assert.deepEqual(values(), open)
}

async function commitStrategies(context) {
  for (const strategy of ['vlsn', 'hybrid']) await commitBy(context, strategy)
}

export const vlsnScenarios = {
  'vlsn-view-order': viewOrder,
  'vlsn-view-seek': viewSeek,
  'vlsn-view-group': viewGroup,
  'vlsn-commit-strategies': commitStrategies,
}
