import type { NumberedTopic } from './commits/numbered-topic.ts'

/** What the coordinator needs to know of the topics that groups read. */
export interface TopicLookup {
  partitionCount(topic: string): number | undefined
  topicId(topic: string): string | undefined
  topicName(topicId: string): string | undefined
  /** The topic of VLSNs that has this name, or whose view has. */
  numbered(name: string): NumberedTopic | undefined
  /** The names of all topics that are there. */
  names(): Iterable<string>
  /** Rises whenever a topic was made or deleted, or got partitions: what was read before may be out of date then. */
  readonly version: number
}
