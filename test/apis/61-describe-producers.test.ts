import { expect, test } from 'vitest'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { describeProducers } from '../../src/broker/apis/61-describe-producers.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, startBroker } from '../support/broker.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { makeTopic, uniqueName } from '../support/requests.ts'
import { connectUnverified, TransactionalProducer, unverified } from '../support/transactional-producer.ts'
import type { WireClient } from '../support/wire-client.ts'

async function producersOf(client: WireClient, name: string, partitionIndex = 0) {
  const answer = await client.call(describeProducers, 0, {
    topics: [{ name, partitionIndexes: [partitionIndex] }],
  })
  return answer.topics[0]!.partitions[0]!
}

test('tells of each producer where its open transaction began', async () => {
  const client = await connectUnverified()
  const topic = await makeTopic(client)
  expect(await producersOf(client, topic.name)).toMatchObject({ errorCode: 0, activeProducers: [] })
  const [idempotent, open, ended] = [
    await TransactionalProducer.on(client, topic),
    await TransactionalProducer.on(client, topic),
    await TransactionalProducer.on(client, topic),
  ]
  const before = BigInt(Date.now())
  await idempotent.write(['a', 'b'], { isTransactional: false })
  await open.write(['c'])
  await open.write(['d'])
  await ended.write(['e'])
  await ended.end('ABORT', { producerEpoch: 1, coordinatorEpoch: 7 })
  const { activeProducers } = await producersOf(client, topic.name)
  const byId = new Map(activeProducers.map(each => [each.producerId, each]))
  expect(byId.size).toBe(3)
  expect(byId.get(idempotent.id)).toMatchObject({
    producerEpoch: 0,
    lastSequence: 1,
    coordinatorEpoch: -1,
    currentTxnStartOffset: -1n,
  })
  expect(byId.get(open.id)).toMatchObject({
    producerEpoch: 0,
    lastSequence: 1,
    coordinatorEpoch: -1,
    currentTxnStartOffset: 2n,
  })
  expect(byId.get(ended.id)).toMatchObject({
    producerEpoch: 1,
    lastSequence: -1,
    coordinatorEpoch: 7,
    currentTxnStartOffset: -1n,
  })
  for (const { lastTimestamp } of activeProducers) expect(lastTimestamp).toBeGreaterThanOrEqual(before)
})

test('knows no topic or partition that is not there', async () => {
  const client = await connectUnverified()
  const { name } = await makeTopic(client)
  expect(errorName((await producersOf(client, uniqueName())).errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(errorName((await producersOf(client, name, 1)).errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(errorName((await producersOf(client, 'no topic')).errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
})

test('tells the same after a kill', async () => {
  const disk = new FaultyDisk()
  const { address } = await startBroker({ ...unverified, disk })
  const client = await connect(address)
  const topic = await makeTopic(client)
  const producer = await TransactionalProducer.on(client, topic)
  await producer.write(['a'])
  await producer.end('COMMIT', { producerEpoch: 1 })
  producer.epoch = 1
  producer.sequence = 0
  await producer.write(['b'])
  const before = await producersOf(client, topic.name)
  const again = await startBroker({ ...unverified, disk: disk.copy() })
  expect(await producersOf(await connect(again.address), topic.name)).toEqual(before)
})

test('forgets a producer after producer.id.expiration.ms, unless it has a transaction open', async () => {
  const clock = new ManualClock()
  const settings = {
    ...unverified.settings,
    'producer.id.expiration.ms': 60_000,
    'producer.id.expiration.check.interval.ms': 10_000,
  }
  const client = await connect((await startBroker({ clock, settings })).address)
  const topic = await makeTopic(client)
  const [idle, open] = [
    await TransactionalProducer.on(client, topic),
    await TransactionalProducer.on(client, topic),
  ]
  const records = [{ key: null, value: Buffer.from('a'), timestamp: BigInt(clock.now()) }]
  await idle.write(['a'], { records })
  await idle.end('COMMIT')
  await open.write(['a'], { records })
  const known = async (): Promise<bigint[]> =>
    (await producersOf(client, topic.name)).activeProducers.map(({ producerId }) => producerId)
  await clock.advance(59_000)
  expect(await known()).toEqual([idle.id, open.id])
  await clock.advance(11_000)
  await settled()
  expect(await known()).toEqual([open.id])
})
