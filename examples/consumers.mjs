// One topic, three ways to keep a consumer's position, chosen in TOML.
//   node examples/consumers.mjs [FOLDER]
import { Kafka, logLevel } from 'kafkajs'
import { createBroker } from 'odradek'
import { UnifiedConsumer, VlsnProducer } from 'odradek/client'
import { SequencerFolder } from 'odradek/sequencers'

const settings = `
[consumer.analytics]
commit_strategy = "per_partition"
auto_commit_interval_ms = 5000

[consumer.sequencer]
commit_strategy = "vlsn"
partition_count = 3
auto_commit = true

[consumer.audit]
commit_strategy = "hybrid"
`

const broker = await createBroker()
const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
const configEntries = [{ name: 'odradek.partitioning', value: 'vlsn' }]
await admin.createTopics({ topics: [{ topic: 'events', numPartitions: 3, configEntries }] })

const folder = await SequencerFolder.open(process.argv[2] ?? 'consumers-data')
const producer = await VlsnProducer.open(kafka, {
  topic: 'events',
  sequencer: await folder.obelisk('events'),
})
await producer.writeBatch(['a', 'b', 'c', 'd', 'e', 'f'])
await producer.close()
await folder.close()

for (const name of ['analytics', 'sequencer', 'audit']) {
  const consumer = await UnifiedConsumer.fromToml(kafka, settings, name, { topic: 'events' })
  const seen = []
  await consumer.run(({ value }) => {
    seen.push(String(value))
    // The handler must not wait for it: it ends when the handler has.
    if (seen.length === 6) void consumer.close()
  })
  console.log(`${name} (${consumer.commitStrategy}) has seen ${seen.join(' ')}`)
  for (const topic of ['events', 'events.vlsn']) {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: name, topics: [topic] })
    const commits = partitions.filter(({ offset }) => offset !== '-1')
    for (const { partition, offset, metadata } of commits) {
      console.log(`  ${topic} ${partition}: ${offset} ${metadata ?? ''}`.trimEnd())
    }
  }
}
await admin.disconnect()
await broker.close()
