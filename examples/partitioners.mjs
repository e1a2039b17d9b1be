// The three partitioners, in kafkajs's own producer.
//   node examples/partitioners.mjs
import { Kafka, logLevel } from 'kafkajs'
import { createBroker } from 'odradek'
import { hashPartitioner, hierarchicalPartitioner, vlsnKey, vlsnPartitioner } from 'odradek/client'

const broker = await createBroker()
const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic: 'events', numPartitions: 3 }] })
await admin.disconnect()

const keys = [
  ['hash', hashPartitioner, ['user-1', 'user-2', 'user-1']],
  ['vlsn', vlsnPartitioner, [vlsnKey(1000n), vlsnKey(1001n), vlsnKey(1002n)]],
  ['hierarchical', hierarchicalPartitioner, ['acme:0', 'acme:1', 'globex:0']],
]
for (const [name, createPartitioner, own] of keys) {
  const producer = kafka.producer({ createPartitioner })
  await producer.connect()
  const chosen = []
  for (const key of own) {
    const [{ partition }] = await producer.send({ topic: 'events', messages: [{ key, value: name }] })
    chosen.push(partition)
  }
  console.log(`${name}: ${chosen.join(' ')}`)
  await producer.disconnect()
}
await broker.close()
