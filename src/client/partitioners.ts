import type { KafkaRecord, Partitioner } from './kafka-client.ts'
import { murmur2 } from './murmur2.ts'
import { vlsnOf } from './vlsn-key.ts'

/** The partition of a key as Kafka's own producers choose it: murmur2, without its sign, modulo `partitionCount`. */
export function hashPartition(key: Buffer | string, partitionCount: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fff_ffff) % partitionCount
}

/** The partition of a VLSN: its remainder. */
export function vlsnPartition(vlsn: bigint, partitionCount: number): number {
  return Number(vlsn % BigInt(partitionCount))
}

/** The partition of a key `tenant:seq`: that of the tenant alone, so that all of a tenant's records are in one, in order. */
export function tenantPartition(tenant: string, partitionCount: number): number {
  return hashPartition(tenant, partitionCount)
}

/** What is before the last colon of a key `tenant:seq`. */
function tenantOf(key: string): string {
  const end = key.lastIndexOf(':')
  if (end < 0) throw new TypeError(`The key ${JSON.stringify(key)} is not tenant:seq`)
  return key.slice(0, end)
}

/**
 * Custom partitioners for kafkajs: `kafka.producer({ createPartitioner: hashPartitioner })`. A record that names its partition keeps it.
 * Records without a key go round the partitions, one after another.
 */
export function hashPartitioner(): Partitioner {
  let next = 0
  return partitioner((message, partitionCount) =>
    isMissing(message.key) ? next++ % partitionCount : hashPartition(message.key, partitionCount),
  )
}

/** By the VLSN that is the key; throws TypeError at any other key. */
export function vlsnPartitioner(): Partitioner {
  return partitioner(({ key }, partitionCount) => {
    const vlsn = Buffer.isBuffer(key) ? vlsnOf(key) : undefined
    if (vlsn === undefined) throw new TypeError('The key is not a VLSN: 8 bytes big-endian, below 2^63')
    return vlsnPartition(vlsn, partitionCount)
  })
}

/** By the tenant of a key `tenant:seq`; throws TypeError at any other key. */
export function hierarchicalPartitioner(): Partitioner {
  return partitioner(({ key }, partitionCount) => {
    if (isMissing(key)) throw new TypeError('A record without a key has no tenant')
    return tenantPartition(tenantOf(key.toString()), partitionCount)
  })
}

function partitioner(choose: (message: KafkaRecord, partitionCount: number) => number): Partitioner {
  return ({ message, partitionMetadata }) => message.partition ?? choose(message, partitionMetadata.length)
}

function isMissing(key: KafkaRecord['key']): key is null | undefined {
  return key === undefined || key === null
}
