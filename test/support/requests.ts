import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { produce } from '../../src/broker/apis/00-produce.ts'
import { listOffsets } from '../../src/broker/apis/02-list-offsets.ts'
import { createTopics } from '../../src/broker/apis/19-create-topics.ts'
import { errorCodes, errorName } from '../../src/protocol/errors.ts'
import { buildBatch, readRecords, type BatchDraft } from '../../src/protocol/records/record.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { versions, type Draft, type Of } from '../../src/protocol/schema.ts'
import type { WireClient } from './wire-client.ts'

/** What stands for no topic id. */
export const noTopicId = 'A'.repeat(22)
/** An id that no topic has. */
export const strangeTopicId = 'b3RoZXItdG9waWMtaWQtMA'

export interface TestTopic {
  readonly name: string
  readonly topicId: string
}

let topicCount = 0

/** A name that no other test uses, in this process or in another. */
export function uniqueName(prefix = 'topic'): string {
  return `${prefix}-${process.pid}-${++topicCount}`
}

/** The versions that a room promises, from the lowest to the highest. */
export function versionsOf(room: { readonly versions: string }): number[] {
  const { first, last } = versions(room.versions)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/**
 * Asks until the answer will do, and gives it. Ours has to do at once what it says; Apache Kafka, at `KAFKA_BOOTSTRAP`, takes
 * a while to learn of its own changes.
 */
export async function eventually<Answer>(
  ask: () => Promise<Answer>,
  isFine: (answer: Answer) => boolean,
): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if (isFine(answer) || process.env['KAFKA_BOOTSTRAP'] === undefined) return answer
  }
}

/** Makes a topic that can be used. */
export async function makeTopic(
  client: WireClient,
  options: { name?: string; partitions?: number; configs?: Record<string, string> } = {},
): Promise<TestTopic> {
  const { name = uniqueName(), partitions = 1, configs = {} } = options
  const answer = await client.call(createTopics, 7, {
    topics: [
      {
        name,
        numPartitions: partitions,
        replicationFactor: -1,
        assignments: [],
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      },
    ],
  })
  const { errorCode, errorMessage, topicId } = answer.topics[0]!
  if (errorCode !== errorCodes.NONE) throw new Error(`${errorName(errorCode)}: ${errorMessage}`)
  for (let partition = 0; partition < partitions; partition++) {
    await eventually(
      () => latest(client, name, partition),
      // A topic that had the name before may still be answering.
      ({ errorCode, offset }) => errorCode === errorCodes.NONE && offset === 0n,
    )
  }
  return { name, topicId }
}

/** Where a partition ends for its readers. */
export async function latest(client: WireClient, name: string, partitionIndex = 0) {
  const answer = await client.call(listOffsets, 11, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions: [{ partitionIndex, timestamp: -1n }] }],
    timeoutMs: 0,
  })
  return answer.topics[0]!.partitions[0]!
}

/** A batch with one record of each value, without keys, timestamped now. */
export function batchOf(values: readonly string[], draft: Partial<BatchDraft> = {}): Buffer {
  const timestamp = BigInt(Date.now())
  const records = values.map(value => ({ key: null, value: Buffer.from(value), timestamp }))
  return buildBatch({ records, ...draft })
}

type ProduceDraft = Draft<typeof produce.request>

/** A Produce request for one partition. */
export function produceOf(
  { name, topicId }: TestTopic,
  records: Buffer | null,
  { index = 0, acks = -1, transactionalId = null as string | null } = {},
): ProduceDraft {
  return {
    transactionalId,
    acks,
    timeoutMs: 30_000,
    topicData: [{ name, topicId, partitionData: [{ index, records }] }],
  }
}

/** Produces to one partition and gives its part of the answer. */
export async function produceTo(
  client: WireClient,
  topic: TestTopic,
  records: Buffer | null,
  {
    version = 13,
    ...options
  }: { version?: number; index?: number; acks?: number; transactionalId?: string | null } = {},
) {
  const answer = await client.call(produce, version, produceOf(topic, records, options))
  return answer.responses[0]!.partitionResponses[0]!
}

/** One partition to be fetched. */
export interface FetchPartition {
  readonly partition?: number
  readonly fetchOffset?: bigint
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
}

type FetchDraft = Draft<typeof fetch.request>

/** A Fetch request for partitions of one topic; by default for all of partition 0, without waiting and without a session. */
export function fetchOf(
  { name, topicId }: TestTopic,
  partitions: readonly FetchPartition[] = [{}],
  draft: Partial<FetchDraft> = {},
): FetchDraft {
  return {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 10_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic: name,
        topicId,
        partitions: partitions.map(each => ({
          partition: 0,
          fetchOffset: 0n,
          logStartOffset: -1n,
          partitionMaxBytes: 1_000_000,
          ...each,
        })),
      },
    ],
    forgottenTopicsData: [],
    ...draft,
  }
}

/** Fetches one partition and gives its part of the answer. */
export async function fetchFrom(
  client: WireClient,
  topic: TestTopic,
  {
    version = 17,
    maxWaitMs = 0,
    ...partition
  }: FetchPartition & { version?: number; maxWaitMs?: number } = {},
) {
  const answer = await client.call(fetch, version, fetchOf(topic, [partition], { maxWaitMs }))
  return answer.responses[0]!.partitions[0]!
}

/** The records of a fetched partition, as `offset:value`. */
export function recordsIn(partition: {
  records: Of<typeof fetch.response>['responses'][number]['partitions'][number]['records']
}): string[] {
  const found: string[] = []
  for (const batch of batchesIn(partition.records ?? Buffer.alloc(0))) {
    for (const { offset, value } of readRecords(batch)) found.push(`${offset}:${value?.toString()}`)
  }
  return found
}
