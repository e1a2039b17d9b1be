import type { KafkaAdmin } from './kafka-client.ts'

const topicResource = 2

/** Where a VLSN topic's ordered view is, if its broker serves one. */
export function viewNameOf(topic: string): string {
  return `${topic}.vlsn`
}

/** What the broker makes of a topic's VLSNs. */
export interface VlsnSettings {
  /** Whether it is a VLSN topic of odradek: checked, and with a view. Any other topic of any other broker is not. */
  readonly hasView: boolean
  /** The first VLSN that it may have. */
  readonly start: bigint
}

/**
 * Asks for the settings, and not for the view, since brokers make the topics that somebody asks for. Rejects with the client's error
 * where the topic is not there or its settings may not be seen.
 */
export async function vlsnSettingsOf(admin: KafkaAdmin, topic: string): Promise<VlsnSettings> {
  const configNames = ['odradek.partitioning', 'odradek.vlsn.start']
  const { resources } = await admin.describeConfigs({
    resources: [{ type: topicResource, name: topic, configNames }],
    includeSynonyms: false,
  })
  const value = (name: string): string | undefined =>
    resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue
  return {
    hasView: value('odradek.partitioning') === 'vlsn',
    start: BigInt(value('odradek.vlsn.start') ?? 0),
  }
}

/** How many partitions a topic has. */
export async function partitionCountOf(admin: KafkaAdmin, topic: string): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]!.partitions.length
}
