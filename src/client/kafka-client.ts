/**
 * What the library asks of a Kafka client: a part of kafkajs's own interface, so that a `new Kafka(...)` of kafkajs is one, and so is
 * whatever wraps it. Nothing of kafkajs is imported: the user's client brings it.
 */
export interface KafkaClient {
  producer(config?: {
    idempotent?: boolean
    maxInFlightRequests?: number
    allowAutoTopicCreation?: boolean
    createPartitioner?: () => Partitioner
  }): KafkaProducer
  consumer(config: {
    groupId: string
    maxWaitTimeInMs?: number
    readUncommitted?: boolean
    allowAutoTopicCreation?: boolean
  }): KafkaConsumer
  admin(): KafkaAdmin
}

export type HeaderValue = Buffer | string | (Buffer | string)[] | undefined
export type RecordHeaders = Record<string, HeaderValue>

/** A record to be written. */
export interface KafkaRecord {
  key?: Buffer | string | null
  value: Buffer | string | null
  partition?: number
  headers?: RecordHeaders
  timestamp?: string
}

/** kafkajs's custom partitioner: the partition of a record. */
export type Partitioner = (choice: {
  topic: string
  partitionMetadata: readonly { readonly partitionId: number }[]
  message: KafkaRecord
}) => number

export interface KafkaProducer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(request: { topic: string; messages: KafkaRecord[]; acks?: number }): Promise<unknown>
}

/** A record as a consumer is given it. */
export interface KafkaMessage {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: RecordHeaders
}

export interface KafkaBatch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly KafkaMessage[]
  lastOffset(): string
}

export interface KafkaOffset {
  topic: string
  partition: number
  offset: string
  metadata?: string | null
}

export interface KafkaConsumer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  subscribe(subscription: { topics: string[]; fromBeginning?: boolean }): Promise<void>
  run(config: {
    autoCommit?: boolean
    eachBatchAutoResolve?: boolean
    partitionsConsumedConcurrently?: number
    eachBatch?: (payload: BatchPayload) => Promise<void>
  }): Promise<void>
  seek(position: { topic: string; partition: number; offset: string }): void
  pause(topics: { topic: string; partitions?: number[] }[]): void
  resume(topics: { topic: string; partitions?: number[] }[]): void
  commitOffsets(offsets: KafkaOffset[]): Promise<void>
  on(event: string, listener: (event: { payload: any }) => void): () => void
}

export interface BatchPayload {
  readonly batch: KafkaBatch
  resolveOffset(offset: string): void
  heartbeat(): Promise<void>
  isRunning(): boolean
  isStale(): boolean
}

export interface KafkaAdmin {
  connect(): Promise<void>
  disconnect(): Promise<void>
  fetchTopicMetadata(request: {
    topics: string[]
  }): Promise<{ topics: { name: string; partitions: { partitionId: number }[] }[] }>
  fetchTopicOffsets(topic: string): Promise<{ partition: number; low: string; high: string }[]>
  fetchOffsets(request: { groupId: string; topics: string[] }): Promise<
    {
      topic: string
      partitions: { partition: number; offset: string; metadata: string | null }[]
    }[]
  >
  setOffsets(request: {
    groupId: string
    topic: string
    partitions: { partition: number; offset: string }[]
  }): Promise<unknown>
  describeConfigs(request: {
    resources: { type: number; name: string; configNames?: string[] }[]
    includeSynonyms: boolean
  }): Promise<{
    resources: { configEntries: { configName: string; configValue: string }[] }[]
  }>
  deleteGroups(groupIds: string[]): Promise<unknown>
}
