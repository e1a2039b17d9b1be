import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { seededRandom } from '../../src/base/random.ts'
import type { KafkaClient, KafkaProducer } from '../../src/client/kafka-client.ts'
import { VlsnProducer, VlsnReader, type VlsnRecord } from '../../src/client/index.ts'
import type { Sequencer } from '../../src/sequencers/index.ts'
import { startBroker } from '../support/broker.ts'
import { all, clientOf, closing, folderOf, makeTopic, told } from './support.ts'
import { seedOf } from '../support/seed.ts'

const seed = seedOf()

function afterOf({ headers }: VlsnRecord): bigint | undefined {
  return (headers['odradek.vlsn.after'] as Buffer | undefined)?.readBigInt64BE()
}

const ways = [
  { way: 'in a VLSN topic', isVlsn: true },
  { way: 'in a topic of any broker', isVlsn: false },
]

describe.each(ways)('$way', ({ isVlsn }) => {
  test('numbers what is written at once, in its order, and tells each number', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    const sequencer = await (await folderOf()).obelisk('events')
    const producer = await VlsnProducer.open(kafka, { topic, sequencer })
    expect(await producer.write('a')).toBe(0n)
    expect(
      await Promise.all([producer.write('b'), producer.write(Buffer.from('c')), producer.write('d')]),
    ).toEqual([1n, 2n, 3n])
    expect(await producer.writeBatch(['e', null, { value: 'g', headers: { by: 'me' } }])).toEqual([
      4n,
      5n,
      6n,
    ])
    // More than one batch takes.
    const large = Array.from({ length: 30 }, (_, index) => Buffer.alloc(50_000, index))
    const vlsns = await producer.writeBatch(large)
    expect(vlsns).toEqual(large.map((_, index) => BigInt(7 + index)))
    await producer.close()

    const reader = closing(await VlsnReader.open(kafka, { topic }))
    const records = await all(reader.scanAll())
    expect(records.slice(0, 7).map(told)).toEqual(['0:a', '1:b', '2:c', '3:d', '4:e', '5:null', '6:g'])
    expect(records.slice(7).every(({ value }, index) => value!.equals(large[index]!))).toBe(true)
    expect(records.length).toBe(7 + large.length)
    expect(String(records[6]!.headers['by'])).toBe('me')
    expect(records.map(afterOf).every(after => after === undefined)).toBe(true)
  })

  test('goes on after a restart, and after the last record of the topic where the counter was lost', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    const disk = memoryDisk()
    const expected: string[] = []
    for (const [run, usedDisk] of [disk, disk, memoryDisk(), disk].entries()) {
      const folder = await folderOf(usedDisk)
      const sequencer = await folder.obelisk('events')
      const producer = await VlsnProducer.open(kafka, { topic, sequencer })
      const vlsns = await producer.writeBatch([`a${run}`, `b${run}`])
      expected.push(`${vlsns[0]}:a${run}`, `${vlsns[1]}:b${run}`)
      await producer.close()
      await folder.close()
    }
    const reader = closing(await VlsnReader.open(kafka, { topic }))
    const records = await all(reader.scanAll())
    expect(records.map(told)).toEqual(expected)
    expect(records.map(({ vlsn }) => vlsn)).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n])
  })

  test('uses no number twice whose send has failed, and names in a header what came before', async () => {
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    const sequencer = await (await folderOf()).obelisk('events')
    let fault: 'lost' | 'stored' | undefined
    const faulty = withSends(kafka, async send => {
      if (fault !== 'lost') await send()
      if (fault) throw new Error(`the answer is ${fault}`)
    })
    const producer = closing(await VlsnProducer.open(faulty, { topic, sequencer }))
    expect(await producer.writeBatch(['a', 'b'])).toEqual([0n, 1n])
    fault = 'lost'
    await expect(producer.writeBatch(['c', 'd'])).rejects.toThrow('the answer is lost')
    fault = 'stored'
    await expect(producer.writeBatch(['e', 'f'])).rejects.toThrow('the answer is stored')
    fault = undefined
    expect(await producer.writeBatch(['g', 'h'])).toEqual([6n, 7n])
    const reader = closing(await VlsnReader.open(kafka, { topic }))
    const records = await all(reader.scanAll())
    expect(records.map(told)).toEqual(['0:a', '1:b', '4:e', '5:f', '6:g', '7:h'])
    expect(records.map(afterOf)).toEqual([undefined, undefined, 1n, undefined, 1n, undefined])
  })

  test(`repeats nothing, whenever its counter or its send ends it (SEED=${seed})`, async () => {
    const random = seededRandom(seed)
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn })
    const disk = memoryDisk()
    const answered: string[] = []
    for (let life = 0; life < 8; life++) {
      const folder = await folderOf(disk)
      const sequencer = await folder.checkpoint('events', { every: 10 })
      let left = random.below(6)
      const isOver = (): boolean => left-- <= 0
      const faults = ['counted', 'not sent', 'sent'] as const
      const fault = faults[random.below(faults.length)]!
      const dying: Sequencer = Object.assign(Object.create(sequencer) as Sequencer, {
        reserve: async (count: number) => {
          const first = await sequencer.reserve(count)
          if (fault === 'counted' && isOver()) throw new Error('died')
          return first
        },
      })
      Object.defineProperty(dying, 'value', { get: () => sequencer.value })
      const mortal = withSends(kafka, async send => {
        if (fault === 'not sent' && isOver()) throw new Error('died')
        await send()
        if (fault === 'sent' && isOver()) throw new Error('died')
      })
      const producer = await VlsnProducer.open(mortal, { topic, sequencer: dying })
      for (let count = 0; count < 12; count++) {
        const values = Array.from({ length: 1 + random.below(5) }, (_, index) => `${life}-${count}-${index}`)
        const vlsns = await producer.writeBatch(values).catch(() => undefined)
        if (!vlsns) break
        answered.push(...vlsns.map((vlsn, index) => `${vlsn}:${values[index]}`))
      }
      await producer.close()
      await folder.close()
    }
    await expectTotalOrder(kafka, topic, answered)
  })
})

test.each(['obelisk', 'checkpoint'])(
  `comes through kill -9 with %s: nothing repeats, nothing answered is missing (SEED=${seed})`,
  async kind => {
    const random = seededRandom(seed)
    const { address } = await startBroker()
    const kafka = clientOf(address)
    const topic = await makeTopic(kafka, { isVlsn: true })
    const folder = await mkdtemp(join(tmpdir(), 'odradek-writer-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const answered: string[] = []
    for (let life = 0; life < 4; life++) {
      answered.push(...(await writeUntilKilled([address, topic, folder, kind], 5 + random.below(60))))
    }
    await expectTotalOrder(kafka, topic, answered)
  },
  60_000,
)

/** Whole lines of what a child says before it is killed, some time after it has said `count` of them. */
async function writeUntilKilled(args: readonly string[], count: number): Promise<string[]> {
  const program = join(import.meta.dirname, '..', 'support', 'vlsn-writer-child.mjs')
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    if (text.split('\n').length > count) child.kill('SIGKILL')
  })
  await new Promise(resolve => child.once('close', resolve))
  expect(child.signalCode, 'the writer failed by itself').toBe('SIGKILL')
  return text.split('\n').slice(0, -1)
}

/** What is there has no number twice, each value once, in the order of its writing, and all that was answered. */
async function expectTotalOrder(
  kafka: KafkaClient,
  topic: string,
  answered: readonly string[],
): Promise<void> {
  expect(answered.length).toBeGreaterThan(0)
  // Partitions show all that they have; the view may wait for a number.
  const reader = closing(await VlsnReader.open(kafka, { topic, view: false }))
  const found = await all(reader.scanAll())
  const vlsns = found.map(({ vlsn }) => vlsn)
  expect(vlsns).toEqual([...new Set(vlsns)].toSorted((a, b) => Number(a - b)))
  const values = found.map(({ value }) => String(value))
  expect(new Set(values).size).toBe(values.length)
  const there = new Set(found.map(told))
  expect(answered.filter(each => !there.has(each))).toEqual([])
  const order = answered.map(each => found.findIndex(record => told(record) === each))
  expect(order).toEqual(order.toSorted((a, b) => a - b))
}

/** The same client, whose sends go through `send`. */
function withSends(
  kafka: KafkaClient,
  send: (send: () => Promise<unknown>) => Promise<unknown>,
): KafkaClient {
  return {
    admin: () => kafka.admin(),
    consumer: config => kafka.consumer(config),
    producer(config) {
      const producer = kafka.producer(config)
      const wrapped: KafkaProducer = {
        connect: () => producer.connect(),
        disconnect: () => producer.disconnect(),
        send: request => send(() => producer.send(request)),
      }
      return wrapped
    },
  }
}
