import { expect, test } from 'vitest'
import { writeTxnMarkers } from '../../src/broker/apis/27-write-txn-markers.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { readControlBatch } from '../../src/protocol/records/control.ts'
import { fetchFrom, makeTopic, uniqueName, versionsOf } from '../support/requests.ts'
import { connectUnverified, TransactionalProducer } from '../support/transactional-producer.ts'

test('writes markers that end transactions, in every version', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  const producer = await TransactionalProducer.on(client, topic)
  for (const version of versionsOf(writeTxnMarkers)) {
    for (const type of ['COMMIT', 'ABORT'] as const) {
      const { baseOffset } = await producer.write(['a'])
      expect((await fetchFrom(client, topic)).lastStableOffset).toBe(baseOffset)
      expect(await producer.end(type, { version, coordinatorEpoch: 3 })).toBe(0)
      const { records, lastStableOffset } = await fetchFrom(client, topic, { fetchOffset: baseOffset + 1n })
      expect(lastStableOffset).toBe(baseOffset + 2n)
      const [marker] = batchesIn(records!)
      expect(marker).toMatchObject({
        producerId: producer.id,
        producerEpoch: 0,
        baseSequence: -1,
        isControl: true,
        isTransactional: true,
      })
      expect(readControlBatch(marker!)).toMatchObject({ type, coordinatorEpoch: 3 })
    }
  }
})

test('ends several transactions in several partitions, and says what came of each', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client, { partitions: 2 })
  const missing = uniqueName()
  const producers = [
    await TransactionalProducer.on(client, topic),
    await TransactionalProducer.on(client, topic),
  ]
  const answer = await client.call(writeTxnMarkers, 1, {
    markers: producers.map(({ id }) => ({
      producerId: id,
      producerEpoch: 0,
      transactionResult: true,
      topics: [
        { name: topic.name, partitionIndexes: [0, 1, 2] },
        { name: missing, partitionIndexes: [0] },
      ],
      coordinatorEpoch: 0,
    })),
  })
  const told = answer.markers.flatMap(({ producerId, topics }) =>
    topics.flatMap(({ name, partitions }) =>
      partitions.map(each => `${producerId} ${name} ${each.partitionIndex} ${errorName(each.errorCode)}`),
    ),
  )
  const expected = producers.flatMap(({ id }) => [
    `${id} ${topic.name} 0 NONE`,
    `${id} ${topic.name} 1 NONE`,
    `${id} ${topic.name} 2 UNKNOWN_TOPIC_OR_PARTITION`,
    `${id} ${missing} 0 UNKNOWN_TOPIC_OR_PARTITION`,
  ])
  expect(told.toSorted()).toEqual(expected.toSorted())
})

test('refuses markers of a fenced producer or coordinator', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  const producer = await TransactionalProducer.on(client, topic)
  producer.epoch = 3
  await producer.write(['a'])
  expect(errorName(await producer.end('COMMIT', { producerEpoch: 2 }))).toBe('INVALID_PRODUCER_EPOCH')
  expect(await producer.end('COMMIT', { coordinatorEpoch: 5 })).toBe(0)
  await producer.write(['b'])
  expect(errorName(await producer.end('COMMIT', { coordinatorEpoch: 4 }))).toBe(
    'TRANSACTION_COORDINATOR_FENCED',
  )
  expect((await fetchFrom(client, topic)).lastStableOffset).toBe(2n)
})

test('judges a marker of transaction version 2 by an epoch above that of the data', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  const producer = await TransactionalProducer.on(client, topic)
  await producer.write(['a'])
  const late = { transactionVersion: 2 }
  expect(errorName(await producer.end('COMMIT', late))).toBe('INVALID_PRODUCER_EPOCH')
  producer.epoch = 1
  producer.sequence = 0
  expect(await producer.end('COMMIT', late)).toBe(0)
  // The same once more, as after a lost answer; and again when the next transaction has begun, which it must not end.
  expect(await producer.end('COMMIT', late)).toBe(0)
  expect((await producer.write(['b'])).errorCode).toBe(0)
  expect(errorName(await producer.end('COMMIT', late))).toBe('INVALID_PRODUCER_EPOCH')
})

test('a producer that has ended goes on at its epoch, and one that was bumped begins again', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  const producer = await TransactionalProducer.on(client, topic)
  await producer.write(['a', 'b'])
  await producer.end('COMMIT')
  expect(await producer.write(['c'])).toMatchObject({ errorCode: 0, baseOffset: 3n })
  await producer.end('ABORT', { producerEpoch: 1 })
  const zombie = await producer.write(['d'])
  expect(errorName(zombie.errorCode)).toBe('INVALID_PRODUCER_EPOCH')
  producer.epoch = 1
  const gap = await producer.write(['e'])
  expect(errorName(gap.errorCode)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  producer.sequence = 0
  expect(await producer.write(['f'])).toMatchObject({ errorCode: 0, baseOffset: 5n })
})

test('a batch outside of the transaction that its producer has open is refused', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  const producer = await TransactionalProducer.on(client, topic)
  await producer.write(['a'])
  const outside = await producer.write(['b'], { isTransactional: false })
  expect(errorName(outside.errorCode)).toBe('INVALID_TXN_STATE')
  producer.sequence = 0
  expect(await producer.write(['a'])).toMatchObject({ errorCode: 0, baseOffset: 0n })
})

test('answers a request without markers, and a marker without partitions, with nothing', async () => {
  const client = await connectUnverified()
  expect((await client.call(writeTxnMarkers, 1, { markers: [] })).markers).toEqual([])
  const marker = {
    producerId: 1n,
    producerEpoch: 0,
    transactionResult: true,
    topics: [],
    coordinatorEpoch: 0,
  }
  expect((await client.call(writeTxnMarkers, 1, { markers: [marker] })).markers).toEqual([])
})
