import { expect, test } from 'vitest'
import { addPartitionsToTxn } from '../../src/broker/apis/24-add-partitions-to-txn.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connectToBroker } from '../support/broker.ts'
import { makeTopic } from '../support/requests.ts'
import { TestProducer } from '../support/transactions.ts'

test('adds partitions, each once, in every version that clients speak', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { partitions: 3 })
  const producer = await TestProducer.open(client, 'v1')
  for (const version of [0, 1, 2, 3]) {
    expect(await producer.add({ [topic.name]: [0, 1] }, {}, version)).toEqual(['NONE', 'NONE'])
  }
  expect(await producer.write(topic, ['a'], { index: 1 })).toBe('NONE')
  expect(await producer.write(topic, ['a'], { index: 2 })).toBe('TRANSACTION_ABORTABLE')
  expect(await producer.write(topic, ['a'], { index: 2, version: 10 })).toBe('INVALID_TXN_STATE')
})

test('adds none where one is not there, or is for nobody to write to', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = await TestProducer.open(client, 'v1')
  expect(await producer.add({ __transaction_state: [0], nowhere: [0], [topic.name]: [0, 1] })).toEqual([
    'TOPIC_AUTHORIZATION_FAILED',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'OPERATION_NOT_ATTEMPTED',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ])
  expect(await producer.write(topic, ['a'])).toBe('TRANSACTION_ABORTABLE')
})

test('refuses whoever is not the producer of the id', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = await TestProducer.open(client, 'v1')
  const partitions = { [topic.name]: [0] }
  const { producerId } = producer
  expect(await producer.add(partitions, { producerEpoch: 7 })).toEqual(['PRODUCER_FENCED'])
  expect(await producer.add(partitions, { producerEpoch: 7 }, 1)).toEqual(['INVALID_PRODUCER_EPOCH'])
  expect(await producer.add(partitions, { producerId: producerId + 999n })).toEqual([
    'INVALID_PRODUCER_ID_MAPPING',
  ])
  const stranger = new TestProducer(client, 'v1')
  expect(await stranger.add(partitions, { producerId, producerEpoch: 0 })).toEqual([
    'INVALID_PRODUCER_ID_MAPPING',
  ])
})

test('tells brokers of several transactions, and whether partitions are in one', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { partitions: 2 })
  const producers = [await TestProducer.open(client), await TestProducer.open(client)]
  const [added, other] = producers as [TestProducer, TestProducer]
  const ask = async (producer: TestProducer, partitions: number[], verifyOnly: boolean) => {
    const { transactionalId, producerId, producerEpoch } = producer
    const topics = [{ name: topic.name, partitions }]
    const transaction = { transactionalId, producerId, producerEpoch, verifyOnly, topics }
    const answer = await client.call(addPartitionsToTxn, 5, { transactions: [transaction] })
    expect(answer.errorCode).toBe(0)
    return answer.resultsByTransaction[0]!.topicResults[0]!.resultsByPartition.map(each =>
      errorName(each.partitionErrorCode),
    )
  }
  expect(await ask(added, [0], false)).toEqual(['NONE'])
  expect(await ask(added, [0, 1], true)).toEqual(['NONE', 'TRANSACTION_ABORTABLE'])
  expect(await ask(other, [0], true)).toEqual(['TRANSACTION_ABORTABLE'])
  expect(await ask(added, [0], false)).toEqual(['NONE'])
})
