import { Kafka, logLevel, type ITopicConfig } from 'kafkajs'
import { onTestFinished } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { SequencerFolder } from '../../src/sequencers/index.ts'
import { uniqueName } from '../support/requests.ts'

export function clientOf(address: string): Kafka {
  return new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 5 },
  })
}

/** Makes a topic: a VLSN topic, with a view, or one as other brokers have them, whose keys are nothing to the broker. */
export async function makeTopic(
  kafka: Kafka,
  {
    isVlsn = false,
    partitions = 3,
    ...more
  }: { isVlsn?: boolean; partitions?: number } & Partial<ITopicConfig> = {},
): Promise<string> {
  const admin = kafka.admin()
  await admin.connect()
  const topic = uniqueName()
  const configEntries = isVlsn ? [{ name: 'odradek.partitioning', value: 'vlsn' }] : []
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries, ...more }] })
  await admin.disconnect()
  return topic
}

export async function folderOf(disk = memoryDisk()): Promise<SequencerFolder> {
  const folder = await SequencerFolder.on(disk)
  onTestFinished(() => folder.close().catch(() => {}))
  return folder
}

/** Closes it as the test ends. */
export function closing<Closable extends { close(): Promise<void> }>(opened: Closable): Closable {
  onTestFinished(() => opened.close())
  return opened
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

/** `vlsn:value` */
export function told({ vlsn, value }: { vlsn: bigint; value: Buffer | null }): string {
  return `${vlsn}:${value}`
}
