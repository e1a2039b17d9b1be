import type { Kafka } from 'kafkajs'
import { describe, expect, test, vi } from 'vitest'
import {
  UnifiedConsumer,
  vlsnKey,
  VlsnProducer,
  type UnifiedConsumerOptions,
} from '../../src/client/index.ts'
import { startBroker } from '../support/broker.ts'
import { uniqueName } from '../support/requests.ts'
import { clientOf, folderOf, makeTopic } from './support.ts'

async function writeSome(kafka: Kafka, topic: string, count: number): Promise<void> {
  const sequencer = await (await folderOf()).obelisk('events')
  const producer = await VlsnProducer.open(kafka, { topic, sequencer })
  await producer.writeBatch(Array.from({ length: count }, (_, index) => `v${index}`))
  await producer.close()
}

/** What a consumer is given until it has had `count` records, after which it leaves. */
async function consumeAndLeave(
  kafka: Kafka,
  options: UnifiedConsumerOptions,
  count: number,
): Promise<bigint[]> {
  const consumer = await UnifiedConsumer.open(kafka, options)
  const seen: bigint[] = []
  let left: (() => void) | undefined
  const enough = new Promise<void>(resolve => (left = resolve))
  const ended = consumer.run(({ vlsn }) => {
    seen.push(vlsn!)
    if (seen.length >= count) left!()
  })
  await Promise.race([enough, ended])
  await consumer.close()
  await ended
  return seen
}

function numbers(from: number, to: number): bigint[] {
  return Array.from({ length: to - from }, (_, index) => BigInt(from + index))
}

function sorted(vlsns: readonly bigint[]): bigint[] {
  return vlsns.toSorted((a, b) => Number(a - b))
}

const ways = [
  { strategy: 'per_partition', isVlsn: false },
  { strategy: 'hybrid', isVlsn: false },
  { strategy: 'vlsn', isVlsn: true },
  { strategy: 'vlsn', isVlsn: false },
] as const

describe.each(ways)('$strategy, in a VLSN topic: $isVlsn', ({ strategy, isVlsn }) => {
  test('goes on where it has committed, and skips nothing', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    await writeSome(kafka, topic, 100)
    const options = { topic, groupId: uniqueName(), commitStrategy: strategy, autoCommitIntervalMs: 0 }
    const first = await consumeAndLeave(kafka, options, 40)
    await writeSome(kafka, topic, 20)
    const second = await consumeAndLeave(kafka, options, 120 - first.length)
    expect(sorted([...first, ...second])).toEqual(numbers(0, 120))
    if (strategy === 'vlsn') expect([...first, ...second]).toEqual(numbers(0, 120))
  })

  test('does again what was not committed', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    await writeSome(kafka, topic, 30)
    const options = { topic, groupId: uniqueName(), commitStrategy: strategy, autoCommit: false }
    await consumeAndLeave(kafka, options, 30)
    expect(sorted(await consumeAndLeave(kafka, options, 30))).toEqual(numbers(0, 30))
  })

  test('commits the record that is in hand when it is closed', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn, partitions: 1 })
    await writeSome(kafka, topic, 10)
    const options = { topic, groupId: uniqueName(), commitStrategy: strategy }
    const consumer = await UnifiedConsumer.open(kafka, options)
    await consumer.run(({ vlsn }) => {
      if (vlsn === 4n) void consumer.close()
    })
    expect(await consumeAndLeave(kafka, options, 5)).toEqual(numbers(5, 10))
  })

  test('commits by hand', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    await writeSome(kafka, topic, 30)
    const options = { topic, groupId: uniqueName(), commitStrategy: strategy, autoCommit: false }
    const consumer = await UnifiedConsumer.open(kafka, options)
    let count = 0
    const ended = consumer.run(() => void count++)
    await vi.waitFor(() => expect(count).toBe(30), { timeout: 15_000 })
    await consumer.commit()
    await consumer.close()
    await ended
    await writeSome(kafka, topic, 3)
    expect(sorted(await consumeAndLeave(kafka, options, 3))).toEqual(numbers(30, 33))
  })

  test('ends with what its handler fails with, and has not committed that record', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn, partitions: 1 })
    await writeSome(kafka, topic, 10)
    const options = { topic, groupId: uniqueName(), commitStrategy: strategy }
    const consumer = await UnifiedConsumer.open(kafka, options)
    const run = consumer.run(({ vlsn }) => {
      if (vlsn === 4n) throw new Error('cannot do 4')
    })
    await expect(run).rejects.toThrow('cannot do 4')
    expect(await consumeAndLeave(kafka, options, 6)).toEqual(numbers(4, 10))
  })
})

describe('the one number', () => {
  test('is an ordinary commit of the view, or else stands beside that of partition 0', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const admin = kafka.admin()
    await admin.connect()
    for (const isVlsn of [true, false]) {
      const topic = await makeTopic(kafka, { isVlsn })
      await writeSome(kafka, topic, 10)
      const groupId = uniqueName()
      await consumeAndLeave(kafka, { topic, groupId, commitStrategy: 'vlsn' }, 10)
      const read = isVlsn ? `${topic}.vlsn` : topic
      const [committed] = await admin.fetchOffsets({ groupId, topics: [read] })
      expect(committed!.partitions.find(({ partition }) => partition === 0)).toEqual(
        isVlsn
          ? { partition: 0, offset: '10', metadata: null }
          : { partition: 0, offset: '4', metadata: 'odradek.vlsn=10/3' },
      )
      const others = committed!.partitions.filter(({ partition }) => partition > 0)
      expect(others.every(({ offset }) => offset === '-1')).toBe(true)
    }
    await admin.disconnect()
  })

  test('waits for a number that is missing, unless the record behind it says that there is none', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka)
    const producer = kafka.producer()
    await producer.connect()
    const send = (vlsn: bigint, after?: bigint): Promise<unknown> =>
      producer.send({
        topic,
        messages: [
          {
            key: vlsnKey(vlsn),
            value: null,
            partition: Number(vlsn % 3n),
            ...(after !== undefined && { headers: { 'odradek.vlsn.after': vlsnKey(after) } }),
          },
        ],
      })
    const consumer = await UnifiedConsumer.open(kafka, {
      topic,
      groupId: uniqueName(),
      commitStrategy: 'vlsn',
      gapTimeoutMs: 2_000,
    })
    const seen: bigint[] = []
    const ended = consumer.run(({ vlsn }) => void seen.push(vlsn!))
    const shows = (...vlsns: bigint[]): Promise<void> =>
      vi.waitFor(() => expect(seen).toEqual(vlsns), { timeout: 15_000, interval: 10 })
    // 0 comes late, but it comes.
    await send(1n)
    await send(0n)
    await shows(0n, 1n)
    // Its own partition has passed 2; 5 is behind it.
    await send(5n)
    await send(3n)
    await send(4n)
    await shows(0n, 1n, 3n, 4n, 5n)
    // Nobody knows of 6 and 7, but the writer.
    await send(8n, 5n)
    await shows(0n, 1n, 3n, 4n, 5n, 8n)
    // Nobody knows of 9 and 10 at all.
    await send(11n)
    await shows(0n, 1n, 3n, 4n, 5n, 8n, 11n)
    await consumer.close()
    await ended
    await producer.disconnect()
  })

  test('has one reader of a group at a time, and another that takes over', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka)
    await writeSome(kafka, topic, 50)
    const options = { topic, groupId: uniqueName(), commitStrategy: 'vlsn', autoCommitIntervalMs: 0 } as const
    const seen: bigint[] = []
    const members = [await UnifiedConsumer.open(kafka, options), await UnifiedConsumer.open(kafka, options)]
    const runs = members.map(member => member.run(({ vlsn }) => void seen.push(vlsn!)))
    await vi.waitFor(() => expect(new Set(seen).size).toBe(50), { timeout: 15_000 })
    await members[0]!.close()
    await writeSome(kafka, topic, 50)
    await vi.waitFor(() => expect(new Set(seen).size).toBe(100), { timeout: 15_000 })
    await members[1]!.close()
    await Promise.all(runs)
    const first = [...new Set(seen)]
    expect(first).toEqual(numbers(0, 100))
  })
})

test('hybrid goes on by its number where a topic has been given more partitions', async () => {
  const { address } = await startBroker()
  const kafka = clientOf(address)
  const topic = await makeTopic(kafka, { partitions: 3 })
  await writeSome(kafka, topic, 61)
  const groupId = uniqueName()
  const options = { topic, groupId, commitStrategy: 'hybrid' } as const
  await consumeAndLeave(kafka, options, 61)
  const admin = kafka.admin()
  await admin.connect()
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  await writeSome(kafka, topic, 30)
  const seen = sorted(await consumeAndLeave(kafka, options, 30))
  expect(seen).toEqual(numbers(61, 91))
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
  expect(committed!.partitions.map(({ metadata }) => metadata?.split('/')[1])).toEqual([
    '5',
    '5',
    '5',
    '5',
    '5',
  ])
  await admin.disconnect()
})

test('is configured by TOML', async () => {
  const { address } = await startBroker()
  const kafka = clientOf(address)
  const topic = await makeTopic(kafka, { isVlsn: true })
  const toml = `
    [consumer.analytics]
    commit_strategy = "per_partition"
    auto_commit_interval_ms = 5000

    [consumer.sequencer]
    commit_strategy = "vlsn"
    partition_count = 3
    auto_commit = true

    [consumer.other]
    partition_count = 10`
  for (const name of ['analytics', 'sequencer']) {
    const consumer = await UnifiedConsumer.fromToml(kafka, toml, name, { topic })
    expect(consumer.commitStrategy).toBe(name === 'sequencer' ? 'vlsn' : 'per_partition')
    await consumer.close()
  }
  await expect(UnifiedConsumer.fromToml(kafka, toml, 'other', { topic })).rejects.toThrow(
    `${topic} has 3 partitions, not 10`,
  )
  await expect(UnifiedConsumer.fromToml(kafka, toml, 'nobody', { topic })).rejects.toThrow(
    'there is no [consumer.nobody]',
  )
})
