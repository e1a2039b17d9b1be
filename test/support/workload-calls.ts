import { setTimeout as sleep } from 'node:timers/promises'
import { errorCodes, errorName } from '../../src/protocol/errors.ts'
import { FetchRequest, FetchResponse } from '../../src/protocol/messages/01-fetch.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../../src/protocol/messages/02-list-offsets.ts'
import { OffsetCommitRequest, OffsetCommitResponse } from '../../src/protocol/messages/08-offset-commit.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '../../src/protocol/messages/09-offset-fetch.ts'
import { ProduceRequest, ProduceResponse } from '../../src/protocol/messages/00-produce.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../../src/protocol/messages/19-create-topics.ts'
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../src/protocol/messages/21-delete-records.ts'
import {
  InitProducerIdRequest,
  InitProducerIdResponse,
} from '../../src/protocol/messages/22-init-producer-id.ts'
import type { Draft, Message, Of } from '../../src/protocol/schema.ts'
import { WireClient, type Table } from './wire-client.ts'

/** A partition by its topic's name. */
export interface Place {
  readonly topic: string
  readonly partition: number
}

/** The broker went away, as brokers in these tests do; nothing is wrong with that. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
}

/** The broker answered with an error code. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly code: number

  constructor(code: number, what: string) {
    super(`${what} was refused: ${errorName(code)}`)
    this.code = code
  }
}

/** Asks over a connection that may be lost at any time. Rejects with ConnectionLostError then. */
export async function ask<Request extends Message, Response extends Message>(
  client: WireClient,
  api: Table<Request, Response>,
  version: number,
  request: Draft<Request>,
): Promise<Of<Response>> {
  const lost = client.closed.then(() => {
    throw new ConnectionLostError('the connection was closed')
  })
  return Promise.race([client.call(api, version, request), lost]).catch((error: Error) => {
    throw error.message === 'the connection was closed' ? new ConnectionLostError(error.message) : error
  })
}

/** A connection, as soon as somebody listens there; undefined once `isOver`. */
export async function connectWhenUp(address: string, isOver: () => boolean): Promise<WireClient | undefined> {
  while (!isOver()) {
    try {
      return await WireClient.connect(address)
    } catch {
      await sleep(5)
    }
  }
  return undefined
}

/** Makes a topic, unless it is there. */
export async function createTopic(client: WireClient, name: string, numPartitions: number): Promise<void> {
  const api = { key: 19, request: CreateTopicsRequest, response: CreateTopicsResponse }
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
  const { topics } = await ask(client, api, 4, { topics: [topic] })
  const { errorCode } = topics[0]!
  if (errorCode !== errorCodes.TOPIC_ALREADY_EXISTS) accept(errorCode, `making ${name}`)
}

/** A new producer id. */
export async function newProducerId(client: WireClient): Promise<{ id: bigint; epoch: number }> {
  const api = { key: 22, request: InitProducerIdRequest, response: InitProducerIdResponse }
  const { errorCode, producerId, producerEpoch } = await ask(client, api, 4, {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
  })
  accept(errorCode, 'a producer id')
  return { id: producerId, epoch: producerEpoch }
}

/** Appends one batch and resolves with its base offset. */
export async function produceBatch(
  client: WireClient,
  { topic, partition }: Place,
  acks: number,
  records: Buffer,
): Promise<bigint> {
  const api = { key: 0, request: ProduceRequest, response: ProduceResponse }
  const { responses } = await ask(client, api, 9, {
    acks,
    timeoutMs: 30_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  })
  const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
  accept(errorCode, `a batch for ${topic}-${partition}`)
  return baseOffset
}

/** Whole batches from `fetchOffset` on, and the high watermark and log start that came with them. */
export async function fetchBatches(
  client: WireClient,
  { topic, partition }: Place,
  fetchOffset: bigint,
  maxWaitMs: number,
): Promise<{ records: Buffer; highWatermark: bigint; logStartOffset: bigint }> {
  const api = { key: 1, request: FetchRequest, response: FetchResponse }
  const { responses } = await ask(client, api, 12, {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 4 * 1024 * 1024,
    topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 4 * 1024 * 1024 }] }],
  })
  const { errorCode, records, highWatermark, logStartOffset } = responses[0]!.partitions[0]!
  accept(errorCode, `a fetch of ${topic}-${partition} from ${fetchOffset}`)
  return { records: records!, highWatermark, logStartOffset }
}

/** ListOffsets' numbers for the first and the next offset. */
export const timestamps = { earliest: -2n, latest: -1n } as const

/** The offset of each place, in their order. */
export async function listOffsets(
  client: WireClient,
  places: readonly Place[],
  timestamp: bigint,
): Promise<bigint[]> {
  const api = { key: 2, request: ListOffsetsRequest, response: ListOffsetsResponse }
  const { topics } = await ask(client, api, 4, {
    replicaId: -1,
    topics: places.map(({ topic, partition }) => ({
      name: topic,
      partitions: [{ partitionIndex: partition, timestamp }],
    })),
  })
  return topics.map(({ name, partitions }) => {
    accept(partitions[0]!.errorCode, `an offset of ${name}`)
    return partitions[0]!.offset
  })
}

/** Deletes what is before `offset` and resolves with the log start. */
export async function deleteRecords(
  client: WireClient,
  { topic, partition }: Place,
  offset: bigint,
): Promise<bigint> {
  const api = { key: 21, request: DeleteRecordsRequest, response: DeleteRecordsResponse }
  const { topics } = await ask(client, api, 1, {
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }],
    timeoutMs: 30_000,
  })
  const { errorCode, lowWatermark } = topics[0]!.partitions[0]!
  accept(errorCode, `deleting from ${topic}-${partition}`)
  return lowWatermark
}

/** Commits one offset for several partitions of a topic, as a consumer without a group does. */
export async function commitOffsets(
  client: WireClient,
  groupId: string,
  topic: string,
  partitions: readonly number[],
  committedOffset: bigint,
): Promise<void> {
  const api = { key: 8, request: OffsetCommitRequest, response: OffsetCommitResponse }
  const { topics } = await ask(client, api, 6, {
    groupId,
    memberId: '',
    topics: [
      {
        name: topic,
        partitions: partitions.map(partitionIndex => ({
          partitionIndex,
          committedOffset,
          committedMetadata: null,
        })),
      },
    ],
  })
  for (const { errorCode } of topics[0]!.partitions) accept(errorCode, `a commit of ${groupId}`)
}

/** A group's committed offsets, -1 where there is none, in the order of `partitions`. */
export async function committedOffsets(
  client: WireClient,
  groupId: string,
  topic: string,
  partitions: readonly number[],
): Promise<bigint[]> {
  const api = { key: 9, request: OffsetFetchRequest, response: OffsetFetchResponse }
  const answer = await ask(client, api, 5, {
    groupId,
    topics: [{ name: topic, partitionIndexes: [...partitions] }],
  })
  accept(answer.errorCode, `the commits of ${groupId}`)
  const found = new Map(
    answer.topics[0]!.partitions.map(({ partitionIndex, committedOffset, errorCode }) => {
      accept(errorCode, `the commits of ${groupId}`)
      return [partitionIndex, committedOffset]
    }),
  )
  return partitions.map(partition => found.get(partition)!)
}

function accept(code: number, what: string): void {
  if (code !== errorCodes.NONE) throw new RefusedError(code, what)
}
