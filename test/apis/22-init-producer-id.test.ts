import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { initProducerId } from '../../src/broker/apis/22-init-producer-id.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { versionsOf } from '../support/requests.ts'
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

test('refuses transactions for good, and says so in its log', async () => {
  const { address, lines } = await startBroker()
  const client = await connect(address)
  const answer = await ask(client, { transactionalId: 't', transactionTimeoutMs: 1000 })
  expect(errorName(answer.errorCode)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  expect(answer).toMatchObject(none)
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'warn', message: expect.stringContaining('transaction') }),
  )
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
