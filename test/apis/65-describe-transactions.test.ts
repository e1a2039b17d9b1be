import { expect, test } from 'vitest'
import { describeTransactions } from '../../src/broker/apis/65-describe-transactions.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connectToBroker } from '../support/broker.ts'
import { eventually, makeTopic, uniqueName } from '../support/requests.ts'
import { TestProducer } from '../support/transactions.ts'
import type { WireClient } from '../support/wire-client.ts'

async function describe(client: WireClient, transactionalId: string) {
  const request = { transactionalIds: [transactionalId] }
  return (await client.call(describeTransactions, 0, request)).transactionStates[0]!
}

test('shows an id in each state of its transactions', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { partitions: 2 })
  const producer = await TestProducer.open(client)
  const { transactionalId, producerId } = producer
  const facts = { errorCode: 0, transactionalId, producerId, transactionTimeoutMs: 60_000 }
  expect(await describe(client, transactionalId)).toMatchObject({
    ...facts,
    transactionState: 'Empty',
    producerEpoch: 0,
    transactionStartTimeMs: -1n,
    topics: [],
  })
  const before = BigInt(Date.now())
  await producer.send(topic, ['a'], 0)
  await producer.send(topic, ['b'], 1)
  const ongoing = await describe(client, transactionalId)
  expect(ongoing).toMatchObject({ ...facts, transactionState: 'Ongoing', producerEpoch: 0 })
  expect(ongoing.topics).toEqual([{ topic: topic.name, partitions: [0, 1] }])
  expect(ongoing.transactionStartTimeMs).toBeGreaterThanOrEqual(before)
  for (const [type, state, producerEpoch] of [
    ['COMMIT', 'CompleteCommit', 1],
    ['ABORT', 'CompleteAbort', 2],
  ] as const) {
    await producer.send(topic, ['c'])
    await producer.end(type)
    const ended = await eventually(
      () => describe(client, transactionalId),
      ({ transactionState }) => transactionState === state,
    )
    expect(ended).toMatchObject({ ...facts, transactionState: state, producerEpoch, topics: [] })
  }
})

test('knows nothing of others, and nothing at all of an id without a name', async () => {
  const client = await connectToBroker()
  await TestProducer.open(client)
  const transactionalId = uniqueName('unheard')
  const unknown = await describe(client, transactionalId)
  expect(errorName(unknown.errorCode)).toBe('TRANSACTIONAL_ID_NOT_FOUND')
  expect(unknown).toMatchObject({ transactionalId, transactionState: '', topics: [] })
  expect(errorName((await describe(client, '')).errorCode)).toBe('INVALID_REQUEST')
})
