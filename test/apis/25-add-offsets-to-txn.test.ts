import { expect, test } from 'vitest'
import { addOffsetsToTxn } from '../../src/broker/apis/25-add-offsets-to-txn.ts'
import { describeTransactions } from '../../src/broker/apis/65-describe-transactions.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connectToBroker } from '../support/broker.ts'
import { uniqueName, versionsOf } from '../support/requests.ts'
import { TestProducer } from '../support/transactions.ts'

test('adds the partition that has the offsets of the group, in every version', async () => {
  const client = await connectToBroker()
  for (const version of versionsOf(addOffsetsToTxn)) {
    const { transactionalId, producerId, producerEpoch } = await TestProducer.open(client, 'v1')
    const request = { transactionalId, producerId, producerEpoch, groupId: uniqueName('group') }
    expect(await client.call(addOffsetsToTxn, version, request)).toMatchObject({ errorCode: 0 })
    const { transactionStates } = await client.call(describeTransactions, 0, {
      transactionalIds: [transactionalId],
    })
    expect(transactionStates[0]).toMatchObject({
      transactionState: 'Ongoing',
      topics: [{ topic: '__consumer_offsets', partitions: [expect.any(Number)] }],
    })
  }
})

test('refuses whoever is not the producer of the id', async () => {
  const client = await connectToBroker()
  const { transactionalId, producerId } = await TestProducer.open(client, 'v1')
  const ask = async (draft: object, version = 4) => {
    const request = { transactionalId, producerId, producerEpoch: 0, groupId: 'g', ...draft }
    return errorName((await client.call(addOffsetsToTxn, version, request)).errorCode)
  }
  expect(await ask({ producerEpoch: 3 })).toBe('PRODUCER_FENCED')
  expect(await ask({ producerEpoch: 3 }, 1)).toBe('INVALID_PRODUCER_EPOCH')
  expect(await ask({ producerId: producerId + 999n })).toBe('INVALID_PRODUCER_ID_MAPPING')
  expect(await ask({ transactionalId: '' })).toBe('INVALID_REQUEST')
})
