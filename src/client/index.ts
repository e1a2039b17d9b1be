/**
 * odradek/client: what seeds 000 and 001 leave to the client, over kafkajs or any client with its interface, and any Kafka broker.
 *
 * ```ts
 * import { Kafka } from 'kafkajs'
 * import { VlsnProducer, VlsnReader } from 'odradek/client'
 * import { SequencerFolder } from 'odradek/sequencers'
 *
 * const kafka = new Kafka({ brokers: ['127.0.0.1:9092'] })
 * const folder = await SequencerFolder.open('/var/lib/events')
 * const producer = await VlsnProducer.open(kafka, { topic: 'events', sequencer: await folder.obelisk('events') })
 * const vlsn = await producer.write('made')
 * ```
 */
export type { KafkaClient, KafkaRecord, Partitioner, RecordHeaders } from './kafka-client.ts'
export { murmur2 } from './murmur2.ts'
export {
  hashPartition,
  hashPartitioner,
  hierarchicalPartitioner,
  tenantPartition,
  vlsnPartition,
  vlsnPartitioner,
} from './partitioners.ts'
export { VlsnProducer, type VlsnDraft, type VlsnProducerOptions } from './vlsn-producer.ts'
export { VlsnReader, type VlsnReaderOptions } from './vlsn-reader.ts'
export type { VlsnRecord } from './vlsn-record.ts'
export { vlsnKey, vlsnOf } from './vlsn-key.ts'
export { TenantClient, type TenantClientOptions, type TenantRecord } from './tenant-client.ts'
export { UnifiedConsumer, type UnifiedConsumerOptions } from './unified-consumer.ts'
export {
  ConsumerConfigError,
  consumerConfigFromToml,
  type CommitStrategy,
  type ConsumerConfig,
} from './consumer-config.ts'
export type { ConsumedRecord, Handler } from './consumption.ts'
