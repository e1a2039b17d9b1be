import { describe, expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { initProducerId } from '../../src/broker/apis/22-init-producer-id.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { makeTopic, versionsOf } from '../support/requests.ts'
import { committedIn, TestProducer } from '../support/transactions.ts'
import type { WireClient } from '../support/wire-client.ts'

const none = { producerId: -1n, producerEpoch: -1 }

type Request = Draft<typeof initProducerId.request>

/** The answer, once the broker has ids to give; Apache Kafka is not ready at the first question. */
async function ask(client: WireClient, draft: Partial<Request>, version = 5) {
  for (;;) {
    const request = { transactionalId: null, transactionTimeoutMs: -1, ...draft }
    const answer = await client.call(initProducerId, version, request)
    if (errorName(answer.errorCode) !== 'COORDINATOR_LOAD_IN_PROGRESS') return answer
  }
}

test('gives every producer an id of its own, in every version', async () => {
  const client = await connectToBroker()
  const ids = new Set<bigint>()
  for (const version of versionsOf(initProducerId)) {
    const answer = await ask(client, {}, version)
    expect(answer).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    ids.add(answer.producerId)
  }
  expect(ids.size).toBe(versionsOf(initProducerId).length)
})

test('gives a new id to a producer that comes back with its old one', async () => {
  const client = await connectToBroker()
  const { producerId } = await ask(client, {})
  const again = await ask(client, { producerId, producerEpoch: 0 })
  expect(again).toMatchObject({ errorCode: 0, producerEpoch: 0 })
  expect(again.producerId).not.toBe(producerId)
})

test('refuses half an identity with INVALID_REQUEST', async () => {
  const client = await connectToBroker()
  for (const half of [{ producerId: 5n }, { producerEpoch: 5 }]) {
    const answer = await ask(client, half)
    expect(errorName(answer.errorCode)).toBe('INVALID_REQUEST')
    expect(answer).toMatchObject(none)
  }
})

test('refuses an empty transactional id with INVALID_REQUEST', async () => {
  const client = await connectToBroker()
  const answer = await ask(client, { transactionalId: '', transactionTimeoutMs: 1000 })
  expect(errorName(answer.errorCode)).toBe('INVALID_REQUEST')
})

describe('with a transactional id', () => {
  const timeout = { transactionTimeoutMs: 60_000 }

  test('the id keeps its producer, whose epoch rises each time', async () => {
    const client = await connectToBroker()
    const producer = await TestProducer.open(client)
    const { producerId, producerEpoch } = producer
    expect(producerEpoch).toBe(0)
    expect(await producer.init()).toBe('NONE')
    expect([producer.producerId, producer.producerEpoch]).toEqual([producerId, 1])
    const other = await TestProducer.open(client)
    expect(other.producerId).not.toBe(producerId)
  })

  test('fences whoever had the id before', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client, { partitions: 2 })
    const zombie = await TestProducer.open(client)
    expect(await zombie.send(topic, ['a'])).toBe('NONE')
    await TestProducer.open(client, 'v2', zombie.transactionalId)
    expect(await zombie.send(topic, ['b'])).toBe('INVALID_PRODUCER_EPOCH')
    expect(await zombie.send(topic, ['b'], 1)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await zombie.end('COMMIT')).toBe('PRODUCER_FENCED')
    expect(await committedIn(client, topic)).toEqual([])
  })

  test('goes on for the one who names the present identity, answers it again, and fences all others (KIP-360)', async () => {
    const client = await connectToBroker()
    const producer = await TestProducer.open(client)
    const { producerId } = producer
    const first = { ...timeout, producerId, producerEpoch: 0 }
    expect(await producer.init(first)).toBe('NONE')
    expect(producer.producerEpoch).toBe(1)
    expect(await producer.init(first)).toBe('NONE')
    expect(producer.producerEpoch).toBe(1)
    expect(await producer.init({ ...first, producerEpoch: 1 })).toBe('NONE')
    expect(producer.producerEpoch).toBe(2)
    expect(await producer.init(first)).toBe('PRODUCER_FENCED')
    expect(await producer.init(first, 3)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await producer.init({ ...first, producerId: producerId + 12_345n })).toBe('PRODUCER_FENCED')
  })

  test('takes no timeout above transaction.max.timeout.ms, and none of nothing', async () => {
    const client = await connectToBroker()
    const producer = await TestProducer.open(client)
    for (const transactionTimeoutMs of [0, -1, 900_001])
      expect(await producer.init({ transactionTimeoutMs })).toBe('INVALID_TRANSACTION_TIMEOUT')
    expect(await producer.init({ transactionTimeoutMs: 900_000 })).toBe('NONE')
  })
})

test('never repeats an id, not even after a restart', async () => {
  const disk = memoryDisk()
  const ids: bigint[] = []
  for (let start = 0; start < 3; start++) {
    const broker = await startBroker({ disk })
    const client = await connect(broker.address)
    for (let count = 0; count < 3; count++) ids.push((await ask(client, {})).producerId)
    await broker.stop()
  }
  expect(new Set(ids).size).toBe(ids.length)
})

test('says KAFKA_STORAGE_ERROR while the disk does not keep a new range, and gives ids again once it does', async () => {
  const disk = memoryDisk()
  let isFull = false
  const openFile = disk.open.bind(disk)
  disk.open = async name => {
    const file = await openFile(name)
    const truncate = file.truncate.bind(file)
    file.truncate = async size => {
      if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      return truncate(size)
    }
    return file
  }
  const { address, broker } = await startBroker({ disk })
  const client = await connect(address)
  isFull = true
  const refused = await ask(client, {})
  expect([errorName(refused.errorCode), refused.producerId]).toEqual(['KAFKA_STORAGE_ERROR', -1n])
  isFull = false
  expect(await ask(client, {})).toMatchObject({ errorCode: 0, producerEpoch: 0 })
  expect(broker.bugs).toEqual([])
})
