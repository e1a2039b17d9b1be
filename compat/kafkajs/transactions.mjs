// Transactions by kafkajs, which speaks the first version of their protocol: partitions and groups are added first.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { unique } from '../scenarios.mjs'
import { client, createTopic, openAdmin, openMember, openProducer } from './kit.mjs'

const openTransactional = (context, transactionalId, options = {}) =>
  openProducer(context, { transactionalId, idempotent: true, maxInFlightRequests: 1, ...options })

const numbered = (from, to, partitions = 1) =>
  Array.from({ length: to - from }, (_, index) => ({
    value: `${from + index}`,
    partition: (from + index) % partitions,
  }))

async function commitNumbers(producer, topic, from, to) {
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: numbered(from, to) })
  await transaction.commit()
}

const values = messages => messages.map(({ value }) => Number(value)).sort((one, other) => one - other)
const range = (from, to) => numbered(from, to).map(({ value }) => Number(value))
// Whoever does not ask for it gets read_committed.
const readUncommitted = { readUncommitted: true }

async function commit(context) {
  const topic = await createTopic(context, 'transaction-commit', { numPartitions: 2 })
  const committed = await openMember(context, topic)
  const uncommitted = await openMember(context, topic, readUncommitted)
  const producer = await openTransactional(context, unique('kafkajs-commit'))
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: numbered(0, 10, 2) })
  assert.deepEqual(values(await uncommitted.received(10)), range(0, 10))
  await sleep(300)
  assert.deepEqual(committed.messages, [])
  await transaction.commit()
  assert.deepEqual(values(await committed.received(10)), range(0, 10))
}

async function abort(context) {
  const topic = await createTopic(context, 'transaction-abort')
  const producer = await openTransactional(context, unique('kafkajs-abort'))
  await commitNumbers(producer, topic, 0, 5)
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: numbered(5, 10) })
  await transaction.abort()
  await commitNumbers(producer, topic, 10, 15)
  const committed = await openMember(context, topic)
  const uncommitted = await openMember(context, topic, readUncommitted)
  assert.deepEqual(values(await uncommitted.received(15)), range(0, 15))
  assert.deepEqual(values(await committed.received(10)), [...range(0, 5), ...range(10, 15)])
}

async function offsets(context) {
  const topic = await createTopic(context, 'transaction-offsets')
  const admin = await openAdmin(context)
  const groupId = unique('kafkajs-transaction-offsets')
  const committed = async () =>
    (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions[0].offset
  const producer = await openTransactional(context, unique('kafkajs-offsets'))
  const send = async offset => {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: numbered(0, 1) })
    const topics = [{ topic, partitions: [{ partition: 0, offset }] }]
    await transaction.sendOffsets({ consumerGroupId: groupId, topics })
    return transaction
  }
  const first = await send('5')
  assert.equal(await committed(), '-1')
  await first.commit()
  // The next transaction cannot begin before the last one has left its markers.
  const second = await send('9')
  assert.equal(await committed(), '5')
  await second.abort()
  await commitNumbers(producer, topic, 1, 2)
  assert.equal(await committed(), '5')
}

async function fencing(context) {
  const topic = await createTopic(context, 'transaction-fencing')
  const transactionalId = unique('kafkajs-fencing')
  const zombie = await openTransactional(context, transactionalId)
  await commitNumbers(zombie, topic, 0, 1)
  const transaction = await zombie.transaction()
  await transaction.send({ topic, messages: numbered(1, 5) })
  // kafkajs asks for its epoch when the first transaction begins.
  const succeeding = await (await openTransactional(context, transactionalId)).transaction()
  // What an old client hears for an old epoch.
  await assert.rejects(transaction.commit(), { type: 'INVALID_PRODUCER_EPOCH' })
  await succeeding.send({ topic, messages: numbered(5, 6) })
  await succeeding.commit()
  const committed = await openMember(context, topic)
  assert.deepEqual(values(await committed.received(2)), [0, 5])
}

async function timeout(context) {
  const topic = await createTopic(context, 'transaction-timeout')
  const gone = await openTransactional(context, unique('kafkajs-timeout'), { transactionTimeout: 1_000 })
  const transaction = await gone.transaction()
  await transaction.send({ topic, messages: numbered(0, 3) })
  await commitNumbers(await openTransactional(context, unique('kafkajs-other')), topic, 10, 11)
  const committed = await openMember(context, topic)
  assert.deepEqual(values(await committed.received(1)), [10])
  await assert.rejects(transaction.commit(), { type: 'INVALID_PRODUCER_EPOCH' })
}

async function interleaved(context) {
  const topic = await createTopic(context, 'transaction-interleaved')
  const committed = await openMember(context, topic)
  const uncommitted = await openMember(context, topic, readUncommitted)
  const one = await (await openTransactional(context, unique('kafkajs-one'))).transaction()
  const other = await (await openTransactional(context, unique('kafkajs-other'))).transaction()
  const plain = await openProducer(context)
  await one.send({ topic, messages: numbered(0, 1) })
  await other.send({ topic, messages: numbered(1, 2) })
  await plain.send({ topic, messages: numbered(2, 3) })
  await one.send({ topic, messages: numbered(3, 4) })
  await other.send({ topic, messages: numbered(4, 5) })
  await other.commit()
  assert.deepEqual(values(await uncommitted.received(5)), range(0, 5))
  await sleep(300)
  assert.deepEqual(committed.messages, [])
  await one.abort()
  assert.deepEqual(values(await committed.received(3)), [1, 2, 4])
}

async function manyPartitions(context) {
  const topic = await createTopic(context, 'transaction-many', { numPartitions: 50 })
  const producer = await openTransactional(context, unique('kafkajs-many'))
  for (const from of [0, 100, 200, 300]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: numbered(from, from + 100, 50) })
    await (from % 200 === 0 ? transaction.commit() : transaction.abort())
  }
  const committed = await openMember(context, topic)
  assert.deepEqual(values(await committed.received(200)), [...range(0, 100), ...range(200, 300)])
}

async function empty(context) {
  const topic = await createTopic(context, 'transaction-empty')
  const producer = await openTransactional(context, unique('kafkajs-empty'))
  await (await producer.transaction()).commit()
  await (await producer.transaction()).abort()
  await commitNumbers(producer, topic, 0, 1)
  const committed = await openMember(context, topic)
  assert.deepEqual(values(await committed.received(1)), [0])
}

async function restart(context) {
  const topic = await createTopic(context, 'transaction-restart')
  const transactionalId = unique('kafkajs-restart')
  for (const from of [0, 10, 20]) {
    const producer = client(context.address).producer({
      transactionalId,
      maxInFlightRequests: 1,
      idempotent: true,
    })
    await producer.connect()
    await commitNumbers(producer, topic, from, from + 1)
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: numbered(from + 1, from + 3) })
    // Left open; the next one of its name aborts it.
    await producer.disconnect()
  }
  await commitNumbers(await openTransactional(context, transactionalId), topic, 30, 31)
  const committed = await openMember(context, topic)
  assert.deepEqual(values(await committed.received(4)), [0, 10, 20, 30])
}

export const transactionScenarios = {
  'transaction-commit': commit,
  'transaction-abort': abort,
  'transaction-offsets': offsets,
  'transaction-fencing': fencing,
  'transaction-timeout': timeout,
  'transaction-interleaved': interleaved,
  'transaction-many-partitions': manyPartitions,
  'transaction-empty': empty,
  'transaction-restart-epoch': restart,
}
