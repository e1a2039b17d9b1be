import type { Kafka } from 'kafkajs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { vlsnKey, vlsnPartitioner, VlsnProducer, VlsnReader } from '../../src/client/index.ts'
import { TopicReader } from '../../src/client/topic-reader.ts'
import { startBroker } from '../support/broker.ts'
import { all, clientOf, closing, folderOf, makeTopic, told } from './support.ts'
import { seedOf } from '../support/seed.ts'

const seed = seedOf()

/** Writes these VLSNs, in their order, with what any producer has. */
async function writeVlsns(kafka: Kafka, topic: string, vlsns: readonly bigint[]): Promise<void> {
  const producer = kafka.producer({ createPartitioner: vlsnPartitioner })
  await producer.connect()
  for (let at = 0; at < vlsns.length; at += 40) {
    const messages = vlsns.slice(at, at + 40).map(vlsn => ({
      key: vlsnKey(vlsn),
      value: `v${vlsn}`,
    }))
    await producer.send({ topic, messages })
  }
  await producer.disconnect()
}

const ways = [
  { way: 'through the view', isVlsn: true },
  { way: 'in partitions of any broker', isVlsn: false },
]

describe.each(ways)('$way', ({ isVlsn }) => {
  test(`reads random ranges, gaps and all, as a model does (SEED=${seed})`, async () => {
    const random = seededRandom(seed)
    const partitions = 1 + random.below(5)
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const configEntries = [
      { name: 'odradek.partitioning', value: 'vlsn' },
      { name: 'odradek.vlsn.gap.timeout.ms', value: '1' },
    ]
    const topic = await makeTopic(kafka, { partitions, ...(isVlsn && { configEntries }) })
    const vlsns: bigint[] = []
    for (let vlsn = BigInt(random.below(20)); vlsns.length < 400; vlsn++) {
      if (random.below(10) === 0) vlsn += BigInt(random.below(30))
      vlsns.push(vlsn)
    }
    await writeVlsns(kafka, topic, vlsns)
    const end = vlsns.at(-1)! + 1n
    if (isVlsn) await viewEnds(kafka, topic, end)
    const reader = closing(await VlsnReader.open(kafka, { topic }))
    expect(reader.hasView).toBe(isVlsn)

    const model = (from: bigint, to: bigint): string[] =>
      vlsns.filter(vlsn => vlsn >= from && vlsn < to).map(vlsn => `${vlsn}:v${vlsn}`)
    expect((await all(reader.scanAll())).map(told)).toEqual(model(0n, end))
    for (let count = 0; count < 12; count++) {
      const from = BigInt(random.below(Number(end) + 10))
      const to = from + BigInt(random.below(60))
      expect((await all(reader.readRange(from, to))).map(told), `${from} to ${to}`).toEqual(model(from, to))
      const record = await reader.read(from)
      expect(record && told(record), `${from}`).toBe(model(from, from + 1n)[0])
    }
  })

  test('finds nothing in an empty topic, and later what has come', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    const reader = closing(await VlsnReader.open(kafka, { topic }))
    expect(await all(reader.scanAll())).toEqual([])
    expect(await reader.read(0n)).toBeUndefined()
    await writeVlsns(kafka, topic, [0n, 1n, 2n, 3n])
    expect((await all(reader.scanAll())).map(told)).toEqual(['0:v0', '1:v1', '2:v2', '3:v3'])
    expect(await reader.read(4n)).toBeUndefined()
  })

  test('sees headers, times and null values, and nothing of aborted transactions', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    const producer = kafka.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    onTestFinished(() => producer.disconnect())
    const send = async (vlsns: number[], end: 'commit' | 'abort'): Promise<void> => {
      const transaction = await producer.transaction()
      const messages = vlsns.map(vlsn => ({
        key: vlsnKey(BigInt(vlsn)),
        value: null,
        partition: vlsn % 3,
        headers: { by: `${vlsn}` },
        timestamp: '1700000000000',
      }))
      await transaction.send({ topic, messages })
      await transaction[end]()
    }
    await send([0, 1, 2], 'commit')
    await send([3, 4], 'abort')
    await send([5, 6, 7], 'commit')
    await send([8, 9, 10, 11], 'abort')
    if (isVlsn) await viewEnds(kafka, topic, 8n)
    const reader = closing(await VlsnReader.open(kafka, { topic }))
    const records = await all(reader.scanAll())
    expect(
      records.map(({ vlsn, headers, ...more }) => ({ vlsn, by: String(headers['by']), ...more })),
    ).toEqual(
      [0n, 1n, 2n, 5n, 6n, 7n].map(vlsn => ({
        vlsn,
        by: `${vlsn}`,
        value: null,
        timestampMs: 1700000000000,
      })),
    )
    expect(await reader.read(3n)).toBeUndefined()
    expect(await reader.read(9n)).toBeUndefined()
  })
})

test('finds a record among many with two fetches where no number is missing', async () => {
  const { address } = await startBroker()
  const kafka = clientOf(address)
  const topic = await makeTopic(kafka, { partitions: 2 })
  const vlsns = Array.from({ length: 3000 }, (_, index) => BigInt(index))
  await writeVlsns(kafka, topic, vlsns)
  const reader = closing(await VlsnReader.open(kafka, { topic }))
  const fetch = vi.spyOn(TopicReader.prototype, 'fetch')
  onTestFinished(() => fetch.mockRestore())
  for (const vlsn of [0n, 1n, 1234n, 2999n]) {
    fetch.mockClear()
    expect(told((await reader.read(vlsn))!)).toBe(`${vlsn}:v${vlsn}`)
    expect(fetch.mock.calls.length).toBeLessThanOrEqual(2)
  }
})

test('refuses a topic whose keys are no VLSNs', async () => {
  const { address } = await startBroker()
  const kafka = clientOf(address)
  const topic = await makeTopic(kafka, { partitions: 1 })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'name', value: 'v' }] })
  await producer.disconnect()
  const reader = closing(await VlsnReader.open(kafka, { topic }))
  await expect(all(reader.scanAll())).rejects.toThrow(`offset 0 of ${topic} has no VLSN as its key`)
  const sequencer = await (await folderOf()).obelisk('counter')
  await expect(VlsnProducer.open(kafka, { topic, sequencer })).rejects.toThrow('has no VLSN as its key')
})

/** Waits until the view of a topic ends at `end`. */
async function viewEnds(kafka: Kafka, topic: string, end: bigint): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await vi.waitFor(
    async () => {
      const [view] = await admin.fetchTopicOffsets(`${topic}.vlsn`)
      expect(BigInt(view!.high)).toBeGreaterThanOrEqual(end)
    },
    { timeout: 10_000, interval: 20 },
  )
  await admin.disconnect()
}
