import { expect, onTestFinished, test } from 'vitest'
import { durabilityOf } from '../../../src/broker/configs/durability.ts'
import { Settings } from '../../../src/broker/configs/settings.ts'
import { TopicConfig } from '../../../src/broker/configs/topic-config.ts'
import { connect, startBroker } from '../../support/broker.ts'
import { alter, done, ofBroker, ofTopic, set } from '../../support/configs.ts'
import { FaultyDisk } from '../../support/faulty-disk.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'
import { batchOf, fetchFrom, latest, makeTopic, produceTo, recordsIn } from '../../support/requests.ts'
import type { WireClient } from '../../support/wire-client.ts'

type Values = Readonly<Record<string, string>>

function durability(topic: Values, broker: Values = {}): object {
  const settings = new Settings(new Map(Object.entries(broker)))
  return durabilityOf(new TopicConfig(new Map(Object.entries(topic)), settings), settings)
}

const longMax = Number(2n ** 63n - 1n)
const never = { recordsMax: Infinity, delayMsMax: 0, unsyncedRecordsMax: longMax }
const asyncTopic = { 'odradek.durability': 'async' }

test("takes the seed's triggers in async topics, and in group ones where they are set", () => {
  expect(durability({})).toEqual({ mode: 'group', ...never })
  expect(durability(asyncTopic)).toMatchObject({ mode: 'async', recordsMax: 1000, delayMsMax: 20 })
  const broker = { 'odradek.block.records.max': '1000', 'odradek.block.delay.ms.max': '7' }
  expect(durability({}, broker)).toMatchObject({ mode: 'group', recordsMax: 1000, delayMsMax: 7 })
  expect(durability(asyncTopic, broker)).toMatchObject({ mode: 'async', recordsMax: 1000, delayMsMax: 7 })
  expect(durability({ 'odradek.durability': 'sync' }, broker)).toEqual({ mode: 'sync', ...never })
})

test('takes flush.ms and flush.messages where they ask for more, the topic before the broker', () => {
  const broker = { ...asyncTopic, 'log.flush.interval.messages': '50', 'log.flush.interval.ms': '5' }
  expect(durability({}, broker)).toMatchObject({ delayMsMax: 5, unsyncedRecordsMax: 50 })
  const own = { 'flush.messages': '1', 'flush.ms': '1000' }
  expect(durability(own, broker)).toMatchObject({ delayMsMax: 20, unsyncedRecordsMax: 1 })
})

interface Scene {
  readonly client: WireClient
  readonly clock: ManualClock
  /** Holds back the syncs of the log from now on. */
  hold(): void
  /** Lets one go on that is held. */
  letGo(): Promise<void>
  held(): number
}

async function begin(settings: Values = {}): Promise<Scene> {
  const disk = new FaultyDisk()
  // The records that are produced are of today.
  const clock = new ManualClock(Date.now())
  const { address } = await startBroker({ disk, clock, settings })
  const waiting: (() => void)[] = []
  let isHolding = false
  disk.before = (operation, name) =>
    isHolding && operation === 'sync' && name.endsWith('.log')
      ? new Promise(resolve => void waiting.push(resolve))
      : undefined
  onTestFinished(() => {
    isHolding = false
    for (const resolve of waiting.splice(0)) resolve()
  })
  return {
    client: await connect(address),
    clock,
    hold: () => void (isHolding = true),
    letGo: async () => {
      await expect.poll(() => waiting.length).toBeGreaterThan(0)
      waiting.shift()!()
    },
    held: () => waiting.length,
  }
}

async function isAnswered(answer: Promise<unknown>): Promise<boolean> {
  let isThere = false
  void answer.then(() => (isThere = true))
  for (let turn = 0; turn < 10; turn++) await settled()
  return isThere
}

const fine = { errorCode: 0 }

test('answers a produce to an async topic before its sync, and to the others after it', async () => {
  const { client, clock, hold, letGo, held } = await begin()
  const modes = ['sync', 'group', 'async'] as const
  const topics = []
  for (const mode of modes) topics.push(await makeTopic(client, { configs: { 'odradek.durability': mode } }))
  hold()
  expect(await produceTo(client, topics[2]!, batchOf(['a']))).toMatchObject(fine)
  expect(held()).toBe(0)
  expect((await latest(client, topics[2]!.name)).offset).toBe(0n)
  await clock.advance(20)
  await expect.poll(held).toBe(1)
  expect((await latest(client, topics[2]!.name)).offset).toBe(1n)
  expect(recordsIn(await fetchFrom(client, topics[2]!))).toEqual(['0:a'])
  await letGo()
  for (const topic of topics.slice(0, 2)) {
    const answer = produceTo(client, topic, batchOf(['a']))
    await expect.poll(held).toBe(1)
    expect(await isAnswered(answer)).toBe(false)
    await letGo()
    expect(await answer).toMatchObject(fine)
  }
})

test('syncs each produce alone where the broker says sync and the topic nothing', async () => {
  const { client, hold, letGo, held } = await begin({ 'odradek.durability': 'sync' })
  const topic = await makeTopic(client)
  hold()
  const answers = [1, 2, 3].map(() => produceTo(client, topic, batchOf(['a'])))
  for (const answer of answers) {
    await letGo()
    expect(await answer).toMatchObject(fine)
  }
  expect(held()).toBe(0)
})

test('changes with the topic and with the broker while it runs, and refuses what is no mode', async () => {
  const { client, hold, letGo } = await begin()
  const [changed, other] = [await makeTopic(client), await makeTopic(client)]
  const async = set('odradek.durability', 'async')
  expect(await alter(client, [ofTopic(changed.name, async)])).toEqual([done])
  const refused = await alter(client, [ofTopic(other.name, set('odradek.durability', 'never'))])
  expect(refused).toMatchObject([{ error: 'INVALID_CONFIG' }])
  hold()
  expect(await produceTo(client, changed, batchOf(['a']))).toMatchObject(fine)
  const answer = produceTo(client, other, batchOf(['a']))
  expect(await isAnswered(answer)).toBe(false)
  await letGo()
  expect(await answer).toMatchObject(fine)
  const altered = alter(client, [ofBroker('', async)])
  await letGo()
  expect(await altered).toEqual([done])
  expect(await produceTo(client, other, batchOf(['a']))).toMatchObject(fine)
})

test('with flush.messages=1 an async topic is answered after its sync, as in Kafka', async () => {
  const { client, hold, letGo } = await begin()
  const topic = await makeTopic(client, { configs: { ...asyncTopic, 'flush.messages': '1' } })
  hold()
  const answer = produceTo(client, topic, batchOf(['a']))
  expect(await isAnswered(answer)).toBe(false)
  await letGo()
  expect(await answer).toMatchObject(fine)
})

test('reads no further from a socket while more records wait for the disk than may', async () => {
  const { client, clock, hold, letGo } = await begin({
    ...asyncTopic,
    'odradek.backlog.records.max': '5',
    'odradek.block.records.max': '3',
  })
  const topic = await makeTopic(client)
  hold()
  for (let round = 0; round < 2; round++) {
    expect(await produceTo(client, topic, batchOf(['a', 'b', 'c']))).toMatchObject(fine)
  }
  const answer = produceTo(client, topic, batchOf(['d']))
  expect(await isAnswered(answer)).toBe(false)
  await letGo()
  expect(await isAnswered(answer)).toBe(false)
  await letGo()
  expect(await answer).toMatchObject(fine)
  await clock.advance(20)
  await letGo()
})
