import { expect, test } from 'vitest'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { findCoordinator } from '../../src/broker/apis/10-find-coordinator.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { versionsOf } from '../support/requests.ts'

const [group, transaction, share] = [0, 1, 2]
const nobody = { nodeId: -1, host: '', port: -1 }

test('names itself for every group at the first question, in every version', async () => {
  for (const version of versionsOf(findCoordinator)) {
    const { address } = await startBroker()
    const client = await connect(address)
    const port = Number(address.split(':')[1])
    const expected = { nodeId: 1, host: '127.0.0.1', port, errorCode: 0 }
    if (version < 4) {
      expect(await client.call(findCoordinator, version, { key: 'g', keyType: group })).toMatchObject(
        expected,
      )
    } else {
      const request = { keyType: group, coordinatorKeys: ['a', 'b'] }
      const { coordinators } = await client.call(findCoordinator, version, request)
      expect(coordinators).toMatchObject([
        { key: 'a', ...expected },
        { key: 'b', ...expected },
      ])
    }
  }
})

test('makes __consumer_offsets as it is configured', async () => {
  const { address } = await startBroker({ settings: { 'offsets.topic.num.partitions': 7 } })
  const client = await connect(address)
  await client.call(findCoordinator, 4, { keyType: group, coordinatorKeys: ['g'] })
  const { topics } = await client.call(metadata, 12, { topics: null })
  expect(topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['__consumer_offsets', 7]])
})

test('answers no key where none is asked for', async () => {
  const client = await connectToBroker()
  const { coordinators } = await client.call(findCoordinator, 6, { keyType: group, coordinatorKeys: [] })
  expect(coordinators).toEqual([])
})

test('names itself for every transactional id too, and makes __transaction_state as it is configured', async () => {
  const { address } = await startBroker({ settings: { 'transaction.state.log.num.partitions': 7 } })
  const client = await connect(address)
  const old = await client.call(findCoordinator, 1, { key: 't', keyType: transaction })
  const batched = await client.call(findCoordinator, 4, { keyType: transaction, coordinatorKeys: ['t'] })
  for (const answer of [old, batched.coordinators[0]!])
    expect(answer).toMatchObject({ nodeId: 1, errorCode: 0 })
  const { topics } = await client.call(metadata, 12, { topics: null })
  expect(topics.map(({ name, isInternal, partitions }) => [name, isInternal, partitions.length])).toEqual([
    ['__transaction_state', true, 7],
  ])
})

test('refuses coordinators of other kinds with INVALID_REQUEST', async () => {
  const client = await connectToBroker()
  const old = await client.call(findCoordinator, 3, { key: 'g', keyType: 9 })
  const batched = await client.call(findCoordinator, 6, { keyType: 9, coordinatorKeys: ['g'] })
  const shared = await client.call(findCoordinator, 5, { keyType: share, coordinatorKeys: ['g'] })
  for (const answer of [old, batched.coordinators[0]!, shared.coordinators[0]!]) {
    expect(answer).toMatchObject(nobody)
    expect(errorName(answer.errorCode)).toBe('INVALID_REQUEST')
  }
})
