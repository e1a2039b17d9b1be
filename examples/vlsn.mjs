// Numbered records: written over several partitions, read in one order, and still numbered on after a restart.
//   node examples/vlsn.mjs [FOLDER]
import { Kafka, logLevel } from 'kafkajs'
import { createBroker } from 'odradek'
import { VlsnProducer, VlsnReader } from 'odradek/client'
import { SequencerFolder } from 'odradek/sequencers'

// In memory; any other Kafka broker does as well, without the view.
const broker = await createBroker()
const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
const configEntries = [{ name: 'odradek.partitioning', value: 'vlsn' }]
await admin.createTopics({ topics: [{ topic: 'events', numPartitions: 3, configEntries }] })
await admin.disconnect()

// The counter is kept on disk before a number is used, so no crash uses one twice.
const folder = await SequencerFolder.open(process.argv[2] ?? 'vlsn-data')
const sequencer = await folder.obelisk('events')
const producer = await VlsnProducer.open(kafka, { topic: 'events', sequencer })
const first = await producer.write('made')
const others = await producer.writeBatch(['paid', { value: 'sent', headers: { by: 'post' } }, 'received'])
console.log(`wrote ${first}, then ${others.join(', ')}`)
await producer.close()
await folder.close()

const reader = await VlsnReader.open(kafka, { topic: 'events' })
console.log(`${others[0]} is ${(await reader.read(others[0])).value}`)
for await (const { vlsn, value } of reader.readRange(first, first + 2n)) console.log(`range ${vlsn} ${value}`)
for await (const { vlsn, value } of reader.scanAll()) console.log(`all ${vlsn} ${value}`)
await reader.close()
await broker.close()
