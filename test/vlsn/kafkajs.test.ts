import { Kafka, logLevel, type Consumer } from 'kafkajs'
import { expect, test } from 'vitest'
import { startBroker } from '../support/broker.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { uniqueName } from '../support/requests.ts'
import { keyOf } from './support.ts'

const partitionCount = 4

/** A client that knows nothing of VLSNs but how to choose a partition. */
function clientOf(address: string): Kafka {
  return new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20 } })
}

async function writeTo(kafka: Kafka, topic: string, from: number, to: number): Promise<void> {
  const producer = kafka.producer({
    createPartitioner:
      () =>
      ({ message }) =>
        Number((message.key as Buffer).readBigUInt64BE() % BigInt(partitionCount)),
  })
  await producer.connect()
  const messages = Array.from({ length: to - from }, (_, at) => ({
    key: keyOf(from + at),
    value: `v${from + at}`,
  }))
  for (let at = 0; at < messages.length; at += 50)
    await producer.send({ topic, messages: messages.slice(at, at + 50) })
  await producer.disconnect()
}

/** Reads until `count` records have come, then leaves, its position committed. */
async function readSome(kafka: Kafka, topic: string, count: number): Promise<string[]> {
  const consumer: Consumer = kafka.consumer({ groupId: 'readers', minBytes: 1, maxWaitTimeInMs: 200 })
  const read: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ message, partition }) => {
          if (read.length === count) return
          read.push(`${message.offset}:${message.value!.toString()}`)
          if (read.length < count) return
          const offset = String(BigInt(message.offset) + 1n)
          await consumer.commitOffsets([{ topic, partition, offset }])
          resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return read
}

test('lets a client that knows nothing of it read in order, commit one number and go on after it', async () => {
  const disk = new FaultyDisk()
  const first = await startBroker({ disk })
  const name = uniqueName()
  const kafka = clientOf(first.address)
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = [{ name: 'odradek.partitioning', value: 'vlsn' }]
  await admin.createTopics({ topics: [{ topic: name, numPartitions: partitionCount, configEntries }] })
  await writeTo(kafka, name, 0, 500)
  const expected = Array.from({ length: 700 }, (_, vlsn) => `${vlsn}:v${vlsn}`)
  const view = `${name}.vlsn`
  expect(await readSome(kafka, view, 200)).toEqual(expected.slice(0, 200))
  expect(await admin.fetchOffsets({ groupId: 'readers', topics: [view] })).toMatchObject([
    { partitions: [{ partition: 0, offset: '200' }] },
  ])
  expect(await admin.fetchTopicOffsets(view)).toMatchObject([{ low: '0', high: '500' }])
  await admin.disconnect()
  await first.stop()

  const second = await startBroker({ disk })
  const again = clientOf(second.address)
  await writeTo(again, name, 500, 700)
  expect(await readSome(again, view, 500)).toEqual(expected.slice(200))
}, 30_000)
