// Each tenant's records numbered for itself, all of a tenant's in one partition.
//   node examples/tenants.mjs [FOLDER]
import { Kafka, logLevel } from 'kafkajs'
import { createBroker } from 'odradek'
import { TenantClient } from 'odradek/client'
import { SequencerFolder } from 'odradek/sequencers'

const broker = await createBroker()
const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 4 }] })
await admin.disconnect()

// A counter for each tenant, under a name that is fit for a file.
const folder = await SequencerFolder.open(process.argv[2] ?? 'tenants-data')
const tenants = await TenantClient.open(kafka, { topic: 'orders', counter: name => folder.obelisk(name) })
const seqs = await Promise.all([
  tenants.write('acme', 'a chair'),
  tenants.write('globex', 'a table'),
  tenants.write('acme', 'a lamp'),
])
console.log(`acme has ${seqs[0]} and ${seqs[2]}, globex ${seqs[1]}`)
for await (const { seq, value } of tenants.readTenantRange('acme', seqs[0], seqs[2] + 1n)) {
  console.log(`acme:${seq} ${value}, in partition ${tenants.partitionOf('acme')}`)
}
await tenants.close()
await folder.close()
await broker.close()
