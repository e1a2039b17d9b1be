import { describe, expect, test } from 'vitest'
import { produce } from '../../src/broker/apis/00-produce.ts'
import { findCoordinator } from '../../src/broker/apis/10-find-coordinator.ts'
import { initProducerId } from '../../src/broker/apis/22-init-producer-id.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { batchesIn, batchOverhead, codecs, field, readBatch, seal } from '../../src/protocol/records/batch.ts'
import { buildBatch } from '../../src/protocol/records/record.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/manual-clock.ts'
import {
  batchOf,
  fetchFrom,
  latest,
  makeTopic,
  noTopicId,
  produceOf,
  produceTo,
  recordsIn,
  strangeTopicId,
  versionsOf,
} from '../support/requests.ts'
import { committedInAll, TestProducer } from '../support/transactions.ts'
import type { WireClient } from '../support/wire-client.ts'

const firstServed = 3

async function newProducerId(client: WireClient): Promise<bigint> {
  for (;;) {
    const answer = await client.call(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: -1 })
    if (answer.errorCode === 0) return answer.producerId
  }
}

test('gives each batch its offset, in every version', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  let end = 0n
  for (const version of versionsOf(produce).filter(each => each >= firstServed)) {
    const answer = await produceTo(client, topic, batchOf(['a', 'b']), { version })
    expect(answer).toMatchObject({ errorCode: 0, baseOffset: end, logAppendTimeMs: -1n })
    end += 2n
  }
  expect((await latest(client, topic.name)).offset).toBe(end)
})

test('promises versions 0 to 2 and closes the connection when one is used, as Kafka does', async () => {
  const client = await connectToBroker()
  const header = Buffer.from('0000000a 0000 0000 00000001 ffff'.replaceAll(' ', ''), 'hex')
  client.sendRaw(header)
  await client.closed
})

test('takes the batches of every codec as they are', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  for (const [index, codec] of codecs.entries()) {
    const batch = batchOf([codec], { codec })
    expect(await produceTo(client, topic, batch)).toMatchObject({ errorCode: 0, baseOffset: BigInt(index) })
  }
  const fetched = await fetchFrom(client, topic)
  expect([...batchesIn(fetched.records!)].map(({ codec }) => codec)).toEqual([...codecs])
  expect(recordsIn(fetched)).toEqual(codecs.map((codec, index) => `${index}:${codec}`))
})

test('answers acks=1 as acks=all, and nothing to acks=0', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  expect(await produceTo(client, topic, batchOf(['one']), { acks: 1 })).toMatchObject({ errorCode: 0 })
  client.post(produce, 13, produceOf(topic, batchOf(['zero']), { acks: 0 }))
  const fetched = await fetchFrom(client, topic, { fetchOffset: 1n, maxWaitMs: 10_000 })
  expect(recordsIn(fetched)).toEqual(['1:zero'])
})

test('closes the connection when a batch with acks=0 is refused', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  client.post(produce, 13, produceOf(topic, batchOf(['lost']), { acks: 0, index: 7 }))
  await client.closed
})

test('refuses other acks with INVALID_REQUIRED_ACKS', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  for (const acks of [2, -2]) {
    const { errorCode } = await produceTo(client, topic, batchOf(['x']), { acks })
    expect(errorName(errorCode)).toBe('INVALID_REQUIRED_ACKS')
  }
})

test('refuses topics, partitions and ids that are not there, and takes the rest of the request', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const ask = (version: number, topics: { name: string; topicId: string; index: number }[]) =>
    client.call(produce, version, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: topics.map(({ name, topicId, index }) => ({
        name,
        topicId,
        partitionData: [{ index, records: batchOf(['x']) }],
      })),
    })
  const codesOf = ({ responses }: Awaited<ReturnType<typeof ask>>) =>
    responses.flatMap(({ partitionResponses }) =>
      partitionResponses.map(({ errorCode }) => errorName(errorCode)),
    )
  const byName = await ask(12, [
    { ...topic, index: 0 },
    { ...topic, name: `${topic.name}-x`, index: 0 },
  ])
  expect(codesOf(byName).toSorted()).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
  const byId = await ask(13, [
    { ...topic, index: 1 },
    { name: '', topicId: strangeTopicId, index: 0 },
    { name: '', topicId: noTopicId, index: 0 },
  ])
  const unknown = 'UNKNOWN_TOPIC_ID'
  expect(codesOf(byId).toSorted()).toEqual([unknown, unknown, 'UNKNOWN_TOPIC_OR_PARTITION'])
  expect((await latest(client, topic.name)).offset).toBe(1n)
})

test('refuses what is not exactly one sound batch', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const codeOf = async (records: Buffer | null) =>
    errorName((await produceTo(client, topic, records)).errorCode)

  const flipped = batchOf(['flipped'])
  flipped[flipped.length - 3]! ^= 1
  expect(await codeOf(flipped)).toBe('CORRUPT_MESSAGE')
  expect(await codeOf(Buffer.concat([batchOf(['two']), batchOf(['batches'])]))).toBe('INVALID_RECORD')
  expect(await codeOf(Buffer.alloc(0))).toBe('INVALID_RECORD')
  const old = batchOf(['old'])
  old.writeInt8(1, 16)
  expect(await codeOf(old)).toBe('INVALID_RECORD')
  expect((await latest(client, topic.name)).offset).toBe(0n)
})

test('honours max.message.bytes', async () => {
  const client = await connectToBroker()
  const batch = batchOf(['x'.repeat(500)])
  const topic = await makeTopic(client, { configs: { 'max.message.bytes': String(batch.length) } })
  expect(await produceTo(client, topic, batch)).toMatchObject({ errorCode: 0 })
  const { errorCode } = await produceTo(client, topic, batchOf(['x'.repeat(501)]))
  expect(errorName(errorCode)).toBe('MESSAGE_TOO_LARGE')
})

test('refuses records without a key on a compacted topic, and says which', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { configs: { 'cleanup.policy': 'compact' } })
  const value = Buffer.from('v')
  const timestamp = BigInt(Date.now())
  const keyed = { key: Buffer.from('k'), value, timestamp }
  const keyless = { key: null, value, timestamp }
  expect(await produceTo(client, topic, buildBatch({ records: [keyed] }))).toMatchObject({ errorCode: 0 })
  const refused = await produceTo(client, topic, buildBatch({ records: [keyed, keyless] }))
  expect(errorName(refused.errorCode)).toBe('INVALID_RECORD')
  expect(refused.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
})

test('tells a retry when its batch was appended first', async () => {
  const clock = new ManualClock()
  const { address } = await startBroker({ clock })
  const client = await connect(address)
  const topic = await makeTopic(client, { configs: { 'message.timestamp.type': 'LogAppendTime' } })
  const batch = batchOf(['x'], { producerId: 5000n, producerEpoch: 0, baseSequence: 0 })
  const first = await produceTo(client, topic, Buffer.from(batch))
  await clock.advance(60_000)
  const again = await produceTo(client, topic, Buffer.from(batch))
  expect(again).toMatchObject({ errorCode: 0, baseOffset: 0n, logAppendTimeMs: first.logAppendTimeMs })
})

test('tells a retry the greatest time of its batch also where records keep their own', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const timestamp = BigInt(Date.now())
  const records = [timestamp + 5n, timestamp].map(time => ({ value: Buffer.from('v'), timestamp: time }))
  const batch = buildBatch({ records, producerId: 5001n, producerEpoch: 0, baseSequence: 0 })
  const times: bigint[] = []
  for (let count = 0; count < 2; count++)
    times.push((await produceTo(client, topic, Buffer.from(batch))).logAppendTimeMs)
  expect(times).toEqual([-1n, timestamp + 5n])
})

test('tells where the log starts to whom the log has never seen in this sequence or epoch', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const codeOf = async (producerEpoch: number, baseSequence: number) => {
    const draft = { producerId: 5002n, producerEpoch, baseSequence }
    const { errorCode, logStartOffset } = await produceTo(client, topic, batchOf(['a'], draft))
    return [errorName(errorCode), logStartOffset]
  }
  expect(await codeOf(1, 0)).toEqual(['NONE', 0n])
  expect(await codeOf(1, 7)).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER', 0n])
  expect(await codeOf(0, 1)).toEqual(['INVALID_PRODUCER_EPOCH', 0n])
})

test('tells where the log starts to whose records are refused', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { configs: { 'cleanup.policy': 'compact' } })
  const answer = await produceTo(client, topic, batchOf(['without a key']))
  expect(errorName(answer.errorCode)).toBe('INVALID_RECORD')
  expect(answer).toMatchObject({ baseOffset: -1n, logStartOffset: 0n })
})

test('stamps LogAppendTime and tells the client', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { configs: { 'message.timestamp.type': 'LogAppendTime' } })
  const records = [{ key: null, value: Buffer.from('old'), timestamp: 1n }]
  const { logAppendTimeMs } = await produceTo(client, topic, buildBatch({ records }))
  expect(logAppendTimeMs).toBeGreaterThan(1n)
  const batch = readBatch((await fetchFrom(client, topic)).records!)
  expect(batch).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: logAppendTimeMs })
})

test('refuses timestamps outside the bounds of the topic with INVALID_TIMESTAMP', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, {
    configs: { 'message.timestamp.before.max.ms': '1000', 'message.timestamp.after.max.ms': '3600000' },
  })
  const now = BigInt(Date.now())
  for (const timestamp of [now - 100_000n, now + 7_200_000n]) {
    const records = [{ key: null, value: Buffer.from('x'), timestamp }]
    const { errorCode } = await produceTo(client, topic, buildBatch({ records }))
    expect(errorName(errorCode)).toBe('INVALID_TIMESTAMP')
  }
})

test('refuses control batches with INVALID_RECORD', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const { errorCode } = await produceTo(client, topic, batchOf(['x'], { isControl: true }))
  expect(errorName(errorCode)).toBe('INVALID_RECORD')
})

test('refuses to write into internal topics', async () => {
  const client = await connectToBroker()
  while (
    (await client.call(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })).coordinators[0]!
      .errorCode !== 0
  );
  const offsets = { name: '__consumer_offsets', topicId: noTopicId }
  const { errorCode } = await produceTo(client, offsets, batchOf(['x']), { version: 12 })
  expect(errorName(errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
})

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'refuses a %s batch whose checksum is right and whose records are not there',
  async codec => {
    const client = await connectToBroker()
    const topic = await makeTopic(client)
    const sound = batchOf(['a', 'b', 'c'], { codec })
    for (const damage of [
      (batch: Buffer) => batch.fill(0x5a, batchOverhead),
      (batch: Buffer) =>
        batch.writeInt32BE(4, field.recordCount) && batch.writeInt32BE(3, field.lastOffsetDelta),
    ]) {
      const batch = Buffer.from(sound)
      damage(batch)
      seal(batch, 0, batch.length)
      const { errorCode } = await produceTo(client, topic, batch)
      expect(['CORRUPT_MESSAGE', 'INVALID_RECORD']).toContain(errorName(errorCode))
    }
    expect(await produceTo(client, topic, sound)).toMatchObject({ errorCode: 0, baseOffset: 0n })
  },
)

test('answers pipelined requests in order, with rising offsets', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const answers = Array.from({ length: 50 }, (_, index) => produceTo(client, topic, batchOf([String(index)])))
  expect((await Promise.all(answers)).map(({ baseOffset }) => Number(baseOffset))).toEqual([
    ...answers.keys(),
  ])
  expect(recordsIn(await fetchFrom(client, topic))).toEqual(answers.map((_, index) => `${index}:${index}`))
})

test('lets what comes behind it on the connection see what it wrote, acknowledged or not', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const acknowledged = produceTo(client, topic, batchOf(['a', 'b']))
  expect((await latest(client, topic.name)).offset).toBe(2n)
  await acknowledged
  await client.post(produce, 13, produceOf(topic, batchOf(['c']), { acks: 0 }))
  expect((await latest(client, topic.name)).offset).toBe(3n)
})

test('answers a repeated batch of an idempotent producer with its first offset, five batches back', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = { producerId: await newProducerId(client), producerEpoch: 0 }
  const batch = (baseSequence: number) => batchOf(['x'], { ...producer, baseSequence })
  for (let sequence = 0; sequence < 5; sequence++) await produceTo(client, topic, batch(sequence))
  for (let sequence = 0; sequence < 5; sequence++) {
    const again = await produceTo(client, topic, batch(sequence))
    expect(again).toMatchObject({ errorCode: 0, baseOffset: BigInt(sequence) })
  }
  expect((await latest(client, topic.name)).offset).toBe(5n)
})

test('refuses a gap in the sequence with OUT_OF_ORDER_SEQUENCE_NUMBER, and goes on where it was', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = { producerId: await newProducerId(client), producerEpoch: 0 }
  const codeOf = async (baseSequence: number) =>
    errorName((await produceTo(client, topic, batchOf(['x', 'y'], { ...producer, baseSequence }))).errorCode)
  expect(await codeOf(0)).toBe('NONE')
  expect(await codeOf(3)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(await codeOf(2)).toBe('NONE')
})

test('refuses the epoch before the newest with INVALID_PRODUCER_EPOCH, and a new epoch that does not begin at 0', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producerId = await newProducerId(client)
  const codeOf = async (producerEpoch: number, baseSequence: number) => {
    const batch = batchOf(['x'], { producerId, producerEpoch, baseSequence })
    return errorName((await produceTo(client, topic, batch)).errorCode)
  }
  expect(await codeOf(1, 0)).toBe('NONE')
  expect(await codeOf(0, 1)).toBe('INVALID_PRODUCER_EPOCH')
  expect(await codeOf(2, 5)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(await codeOf(2, 0)).toBe('NONE')
})

test('takes the sequence of a producer that it does not know from where it begins', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = { producerId: await newProducerId(client), producerEpoch: 0 }
  const answer = await produceTo(client, topic, batchOf(['x'], { ...producer, baseSequence: 9 }))
  expect(answer).toMatchObject({ errorCode: 0, baseOffset: 0n })
})

describe('in a transaction', () => {
  test('is refused without a transactional id, and to partitions that are not in the transaction', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client)
    const { producerId, producerEpoch } = await TestProducer.open(client)
    const batch = batchOf(['a'], { isTransactional: true, producerId, producerEpoch, baseSequence: 0 })
    const answer = await produceTo(client, topic, batch)
    expect(errorName(answer.errorCode)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    const stranger = new TestProducer(client)
    expect(await stranger.write(topic, ['a'], { producerId, producerEpoch })).toBe(
      'INVALID_PRODUCER_ID_MAPPING',
    )
    expect((await latest(client, topic.name)).offset).toBe(0n)
  })

  test('keeps the order of a connection while a partition is added, and many partitions at once', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client, { partitions: 3 })
    const producer = await TestProducer.open(client)
    const sent: Promise<string>[] = []
    for (let round = 0; round < 20; round++)
      sent.push(producer.write(topic, [`${round}`], { index: round % 3 }))
    expect(new Set(await Promise.all(sent))).toEqual(new Set(['NONE']))
    expect(await producer.end('COMMIT')).toBe('NONE')
    expect(await committedInAll(client, topic, 1)).toEqual(['1', '4', '7', '10', '13', '16', '19'])
  })

  test('is refused after the end of the transaction', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client)
    const producer = await TestProducer.open(client)
    const { producerId, producerEpoch } = producer
    expect(await producer.send(topic, ['a'])).toBe('NONE')
    expect(await producer.end('COMMIT')).toBe('NONE')
    expect(await producer.write(topic, ['late'], { producerId, producerEpoch })).toBe(
      'INVALID_PRODUCER_EPOCH',
    )
    expect(await committedInAll(client, topic)).toEqual(['a'])
  })
})
