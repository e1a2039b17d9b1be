/** What the coordinator needs to know of the topics that groups read. */
export interface TopicLookup {
  partitionCount(topic: string): number | undefined
  topicId(topic: string): string | undefined
  topicName(topicId: string): string | undefined
}
