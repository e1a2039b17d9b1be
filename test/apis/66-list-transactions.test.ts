import { expect, test } from 'vitest'
import { listTransactions } from '../../src/broker/apis/66-list-transactions.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { makeTopic, uniqueName } from '../support/requests.ts'
import { TestProducer } from '../support/transactions.ts'

test('filters ids by state, producer, duration and pattern', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const prefix = uniqueName('listed')
  const idle = await TestProducer.open(client, 'v2', `${prefix}-idle`)
  const busy = await TestProducer.open(client, 'v2', `${prefix}-busy`)
  await busy.send(topic, ['a'])
  const list = async (draft: Partial<Draft<typeof listTransactions.request>>) => {
    const request = { stateFilters: [], producerIdFilters: [], ...draft }
    const answer = await client.call(listTransactions, 2, request)
    expect(answer.errorCode).toBe(0)
    return answer.transactionStates
      .filter(({ transactionalId }) => transactionalId.startsWith(prefix))
      .map(({ transactionalId, transactionState }) => [
        transactionalId.slice(prefix.length + 1),
        transactionState,
      ])
      .toSorted()
  }
  expect(await list({})).toEqual([
    ['busy', 'Ongoing'],
    ['idle', 'Empty'],
  ])
  expect(await list({ stateFilters: ['Ongoing', 'CompleteCommit'] })).toEqual([['busy', 'Ongoing']])
  expect(await list({ producerIdFilters: [idle.producerId, -5n] })).toEqual([['idle', 'Empty']])
  expect(await list({ transactionalIdPattern: `${prefix}-b.*` })).toEqual([['busy', 'Ongoing']])
  expect(await list({ transactionalIdPattern: `${prefix}-b` })).toEqual([])
  expect(await list({ transactionalIdPattern: '' })).toHaveLength(2)
  // An id without a transaction has one that began before 1970.
  expect(await list({ durationFilter: 3_600_000n })).toEqual([['idle', 'Empty']])
  expect(await list({ durationFilter: -1n })).toHaveLength(2)
})

test('names each state that there is not once, and matches none by it', async () => {
  const client = await connectToBroker()
  await TestProducer.open(client)
  const request = { stateFilters: ['Ongoin', 'nothing', 'Ongoin'], producerIdFilters: [] }
  for (const version of [0, 1, 2]) {
    expect(await client.call(listTransactions, version, request)).toMatchObject({
      errorCode: 0,
      unknownStateFilters: ['Ongoin', 'nothing'],
      transactionStates: [],
    })
  }
})

test('refuses a pattern that is none', async () => {
  const client = await connectToBroker()
  await TestProducer.open(client)
  const request = { stateFilters: [], producerIdFilters: [], transactionalIdPattern: '(' }
  const { errorCode } = await client.call(listTransactions, 2, request)
  expect(errorName(errorCode)).toBe('INVALID_REGULAR_EXPRESSION')
})

test('refuses a pattern that would hold up everybody', async () => {
  const client = await connect((await startBroker()).address)
  await TestProducer.open(client)
  const transactionalIdPattern = 'a{1000}'.repeat(1_000)
  const request = { stateFilters: [], producerIdFilters: [], transactionalIdPattern }
  const { errorCode } = await client.call(listTransactions, 2, request)
  expect(errorName(errorCode)).toBe('INVALID_REGULAR_EXPRESSION')
})
