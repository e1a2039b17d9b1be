import { describe, expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { makeTopic, uniqueName } from '../support/requests.ts'
import {
  committedIn,
  committedInAll,
  offsetOf,
  stableOffsetOf,
  TestProducer,
  type Protocol,
} from '../support/transactions.ts'

const protocols: Protocol[] = ['v1', 'v2']

describe.each(protocols)('a transaction of a client that speaks %s', protocol => {
  test('can be read when it is committed, in all its partitions, and never when it is aborted', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client, { partitions: 2 })
    const producer = await TestProducer.open(client, protocol)
    expect(await producer.send(topic, ['a', 'b'], 0)).toBe('NONE')
    expect(await producer.send(topic, ['c'], 1)).toBe('NONE')
    expect(await producer.send(topic, ['d'], 0)).toBe('NONE')
    expect([await committedIn(client, topic, 0), await committedIn(client, topic, 1)]).toEqual([[], []])
    expect(await producer.end('COMMIT')).toBe('NONE')
    expect([await committedInAll(client, topic, 0), await committedInAll(client, topic, 1)]).toEqual([
      ['a', 'b', 'd'],
      ['c'],
    ])
    expect(await producer.send(topic, ['e'], 0)).toBe('NONE')
    expect(await producer.end('ABORT')).toBe('NONE')
    expect(await producer.send(topic, ['f'], 0)).toBe('NONE')
    expect(await producer.end('COMMIT')).toBe('NONE')
    expect(await committedInAll(client, topic, 0)).toEqual(['a', 'b', 'd', 'f'])
  })

  test('has the offsets that were committed in it count with it, or not at all', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client)
    const producer = await TestProducer.open(client, protocol)
    const group = uniqueName('group')
    expect(await producer.commitOffsets(group, { [`${topic.name}-0`]: 5 })).toEqual(['NONE'])
    expect(await offsetOf(client, group, topic.name)).toBe(-1n)
    expect(await offsetOf(client, group, topic.name, { requireStable: true })).toBe('UNSTABLE_OFFSET_COMMIT')
    expect(await producer.end('COMMIT')).toBe('NONE')
    expect(await stableOffsetOf(client, group, topic.name)).toBe(5n)
    expect(await producer.commitOffsets(group, { [`${topic.name}-0`]: 9 })).toEqual(['NONE'])
    expect(await producer.end('ABORT')).toBe('NONE')
    expect(await stableOffsetOf(client, group, topic.name)).toBe(5n)
  })
})

test('survives a restart in the midst of it', async () => {
  const disk = memoryDisk()
  const first = await startBroker({ disk })
  let client = await connect(first.address)
  const topic = await makeTopic(client)
  const producer = await TestProducer.open(client)
  await producer.send(topic, ['a'])
  await producer.commitOffsets('g', { [`${topic.name}-0`]: 5 })
  await first.stop()
  const second = await startBroker({ disk })
  client = await connect(second.address)
  expect(await offsetOf(client, 'g', topic.name, { requireStable: true })).toBe('UNSTABLE_OFFSET_COMMIT')
  expect(await committedIn(client, topic)).toEqual([])
  Object.assign(producer, { client })
  expect(await producer.send(topic, ['b'])).toBe('NONE')
  expect(await producer.end('COMMIT')).toBe('NONE')
  expect(await committedInAll(client, topic)).toEqual(['a', 'b'])
  expect(await offsetOf(client, 'g', topic.name, { requireStable: true })).toBe(5n)
})

describe('an end that comes late', () => {
  test('is answered again as long as nothing came after it, and cannot become another one', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client)
    for (const protocol of protocols) {
      const producer = await TestProducer.open(client, protocol)
      const identity = { producerId: producer.producerId, producerEpoch: producer.producerEpoch }
      expect(await producer.send(topic, ['a'])).toBe('NONE')
      expect(await producer.end('COMMIT')).toBe('NONE')
      expect(await producer.end('COMMIT', identity)).toBe('NONE')
      expect(await producer.end('ABORT', identity)).toBe('INVALID_TXN_STATE')
    }
  })

  test('touches nothing of the next transaction, where ends have epochs of their own', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client)
    const producer = await TestProducer.open(client)
    const identity = { producerId: producer.producerId, producerEpoch: producer.producerEpoch }
    expect(await producer.send(topic, ['a'])).toBe('NONE')
    expect(await producer.end('COMMIT')).toBe('NONE')
    expect(await producer.send(topic, ['b'])).toBe('NONE')
    for (const type of ['COMMIT', 'ABORT'] as const)
      expect(await producer.end(type, identity)).toBe('PRODUCER_FENCED')
    expect(await committedIn(client, topic)).toEqual(['a'])
    expect(await producer.end('ABORT')).toBe('NONE')
    expect(await committedInAll(client, topic)).toEqual(['a'])
  })
})

test('of an empty transaction can be an abort, and only with an epoch of its own', async () => {
  const client = await connectToBroker()
  const v2 = await TestProducer.open(client, 'v2')
  expect(await v2.end('COMMIT')).toBe('INVALID_TXN_STATE')
  expect(await v2.end('ABORT')).toBe('NONE')
  expect(v2.producerEpoch).toBe(1)
  const v1 = await TestProducer.open(client, 'v1')
  for (const type of ['COMMIT', 'ABORT'] as const) expect(await v1.end(type)).toBe('INVALID_TXN_STATE')
})

test('is refused to strangers', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  for (const protocol of protocols) {
    const producer = await TestProducer.open(client, protocol)
    await producer.send(topic, ['a'])
    const { producerId, producerEpoch } = producer
    expect(await producer.end('COMMIT', { producerId: producerId + 999n })).toBe(
      'INVALID_PRODUCER_ID_MAPPING',
    )
    expect(await producer.end('COMMIT', { producerEpoch: producerEpoch + 5 })).toBe('PRODUCER_FENCED')
    expect(await producer.end('COMMIT', { producerEpoch: producerEpoch + 5, version: 1 })).toBe(
      'INVALID_PRODUCER_EPOCH',
    )
    expect(await new TestProducer(client).end('COMMIT', { producerId, producerEpoch })).toBe(
      'INVALID_PRODUCER_ID_MAPPING',
    )
    expect(await producer.end('ABORT')).toBe('NONE')
  }
})
