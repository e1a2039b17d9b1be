import { describe, expect, test } from 'vitest'
import { errorName } from '../../src/protocol/errors.ts'
import { batchesIn, codecs, type Batch } from '../../src/protocol/records/batch.ts'
import { buildBatch, readRecords, type BatchDraft } from '../../src/protocol/records/record.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { alter, done, ofTopic, set } from '../support/configs.ts'
import { fetchFrom, makeTopic, produceTo, recordsIn, type TestTopic } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

const now = BigInt(Date.now())

function batchAt(timestamps: readonly bigint[], draft: Partial<BatchDraft> = {}, length = 500): Buffer {
  const records = timestamps.map(timestamp => ({ key: null, value: Buffer.alloc(length, 'a'), timestamp }))
  return buildBatch({ records, ...draft })
}

async function send(
  client: WireClient,
  topic: TestTopic,
  batch: Buffer,
  options: { version?: number; acks?: number } = {},
): Promise<string> {
  return errorName((await produceTo(client, topic, batch, options)).errorCode)
}

async function stored(client: WireClient, topic: TestTopic): Promise<Batch[]> {
  const { records } = await fetchFrom(client, topic)
  return [...batchesIn(records ?? Buffer.alloc(0))]
}

describe.each(codecs)('compression.type %s', codec => {
  test('stores what comes in any codec', async () => {
    const client = await connectToBroker()
    const compressionType = codec === 'none' ? 'uncompressed' : codec
    const topic = await makeTopic(client, { configs: { 'compression.type': compressionType } })
    for (const each of codecs) {
      expect(await send(client, topic, batchAt([now, now + 1n], { codec: each }))).toBe('NONE')
    }
    const batches = await stored(client, topic)
    expect(batches.map(batch => batch.codec)).toEqual(codecs.map(() => codec))
    expect(batches.every(({ isSound }) => isSound)).toBe(true)
    const records = batches.flatMap(batch => [...readRecords(batch)])
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => BigInt(index)))
    expect(records.every(({ value }) => value!.equals(Buffer.alloc(500, 'a')))).toBe(true)
    expect(records.map(({ timestamp }) => timestamp - now)).toEqual(
      records.map((_, index) => BigInt(index % 2)),
    )
  })
})

test('compression.type recognises the repeated batch of an idempotent producer', async () => {
  const client = await connect((await startBroker()).address)
  const topic = await makeTopic(client, { configs: { 'compression.type': 'zstd' } })
  for (let attempt = 0; attempt < 2; attempt++) {
    const batch = batchAt([now], { producerId: 7n, producerEpoch: 0, baseSequence: 0 })
    expect(await produceTo(client, topic, batch)).toMatchObject({ errorCode: 0, baseOffset: 0n })
  }
  expect(await stored(client, topic)).toHaveLength(1)
})

test('compression.type holds for batches that come after it was changed', async () => {
  const client = await connect((await startBroker()).address)
  const topic = await makeTopic(client)
  expect(await send(client, topic, batchAt([now]))).toBe('NONE')
  expect(await alter(client, [ofTopic(topic.name, set('compression.type', 'gzip'))])).toEqual([done])
  expect(await send(client, topic, batchAt([now]))).toBe('NONE')
  expect((await stored(client, topic)).map(({ codec }) => codec)).toEqual(['none', 'gzip'])
})

test.each([
  ['uncompressed', 'gzip'],
  ['gzip', 'none'],
] as const)(
  'max.message.bytes holds for a batch as it comes and as it is stored: %s of %s',
  async (compressionType, codec) => {
    const client = await connectToBroker()
    const configs = { 'compression.type': compressionType, 'max.message.bytes': '1000' }
    const topic = await makeTopic(client, { configs })
    expect(await send(client, topic, batchAt([now], { codec }, 5000))).toBe('MESSAGE_TOO_LARGE')
    expect(await send(client, topic, batchAt([now], { codec }, 500))).toBe('NONE')
  },
)

describe('LogAppendTime', () => {
  test.each(['producer', 'gzip'])('stamps what comes, and says so: compression.type %s', async codec => {
    const client = await connectToBroker()
    const configs = { 'message.timestamp.type': 'LogAppendTime', 'compression.type': codec }
    const topic = await makeTopic(client, { configs })
    const answer = await produceTo(client, topic, batchAt([5n, 7n]))
    expect(answer).toMatchObject({ errorCode: 0, baseOffset: 0n })
    const [batch] = await stored(client, topic)
    expect(batch).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: answer.logAppendTimeMs })
    expect([...readRecords(batch!)].map(({ timestamp }) => timestamp)).toEqual([
      answer.logAppendTimeMs,
      answer.logAppendTimeMs,
    ])
  })

  test('refuses batches that claim to be stamped', async () => {
    const client = await connectToBroker()
    const topic = await makeTopic(client, { configs: { 'message.timestamp.type': 'LogAppendTime' } })
    for (const codec of ['none', 'gzip'] as const) {
      const batch = batchAt([5n, 6n], { timestampType: 'LogAppendTime', codec })
      const { errorCode, recordErrors } = await produceTo(client, topic, batch)
      expect(errorName(errorCode)).toBe('INVALID_TIMESTAMP')
      expect(recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1])
    }
  })
})

test('CreateTime takes a batch that claims to be stamped for what its header says, if that is a time', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const batch = batchAt([now], { timestampType: 'LogAppendTime' })
  expect(await produceTo(client, topic, batch)).toMatchObject({ errorCode: 0, logAppendTimeMs: -1n })
  expect(await stored(client, topic)).toMatchObject([{ timestampType: 'CreateTime', maxTimestamp: now }])
  expect(await send(client, topic, batchAt([-1n], { timestampType: 'LogAppendTime' }))).toBe(
    'INVALID_TIMESTAMP',
  )
})

test('message.timestamp.before.max.ms and after.max.ms bound the times of records', async () => {
  const client = await connectToBroker()
  const configs = { 'message.timestamp.before.max.ms': '100000', 'message.timestamp.after.max.ms': '100000' }
  const topic = await makeTopic(client, { configs })
  for (const codec of ['none', 'lz4'] as const) {
    expect(await send(client, topic, batchAt([now, now - 200_000n], { codec }))).toBe('INVALID_TIMESTAMP')
    expect(await send(client, topic, batchAt([now + 200_000n, now], { codec }))).toBe('INVALID_TIMESTAMP')
    expect(await send(client, topic, batchAt([now], { codec }))).toBe('NONE')
  }
  expect(await send(client, topic, batchAt([-1n]))).toBe('NONE')
})

test('refuses zstd before version 7, even where it would be stored otherwise', async () => {
  const client = await connectToBroker()
  for (const configs of [{}, { 'compression.type': 'gzip' }]) {
    const topic = await makeTopic(client, { configs })
    for (const version of [3, 6, 7]) {
      const expected = version < 7 ? 'UNSUPPORTED_COMPRESSION_TYPE' : 'NONE'
      expect(await send(client, topic, batchAt([now], { codec: 'zstd' }), { version })).toBe(expected)
    }
  }
})

test('min.insync.replicas asks for no more replicas than there are', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client, { configs: { 'min.insync.replicas': '3' } })
  for (const acks of [-1, 1]) expect(await send(client, topic, batchAt([now], {}, 1), { acks })).toBe('NONE')
  expect(recordsIn(await fetchFrom(client, topic))).toEqual(['0:a', '1:a'])
})

test('a batch longer than a segment of its topic is refused, one just as long is taken', async () => {
  const client = await connectToBroker()
  const batch = batchAt([now, now + 1n])
  for (const [segmentBytes, answer] of [
    [batch.length - 1, 'RECORD_LIST_TOO_LARGE'],
    [batch.length, 'NONE'],
  ] as const) {
    const topic = await makeTopic(client, { configs: { 'internal.segment.bytes': String(segmentBytes) } })
    expect(await send(client, topic, batch)).toBe(answer)
    expect(await stored(client, topic)).toHaveLength(answer === 'NONE' ? 1 : 0)
  }
})

test('what counts against the length of a segment is the batch as it is stored', async () => {
  const client = await connectToBroker()
  const configs = { 'compression.type': 'uncompressed', 'internal.segment.bytes': '500' }
  const topic = await makeTopic(client, { configs })
  expect(await send(client, topic, batchAt([now], { codec: 'gzip' }))).toBe('RECORD_LIST_TOO_LARGE')
})
