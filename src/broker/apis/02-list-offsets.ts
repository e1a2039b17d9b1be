/**
 * ListOffsets. Behaviour: the offset of the first record at or after a timestamp, or at one of the places that negative
 * timestamps stand for. Nothing from the high watermark on is told of, from the last stable offset on to a reader of committed
 * records. There is no tiered storage: the local log is all there is.
 *
 * Versions: isolation from 2 (KIP-98), leader epochs from 4 (KIP-320), the greatest timestamp from 7 (KIP-734), the earliest
 * local offset from 8 (KIP-405), the latest tiered one from 9 (KIP-1005), the earliest one yet to be tiered from 11 (KIP-1023).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { ReadablePartition, TimestampOffset } from '../../storage/readable-partition.ts'
import { api } from '../api.ts'
import type { Context } from '../context.ts'
import { checkLeaderEpoch, findPartition, findReadable, noTopicId } from '../partitions.ts'

type Asked = ListOffsetsRequest['topics'][number]['partitions'][number]
type PartitionAnswer = Draft<typeof ListOffsetsResponse>['topics'][number]['partitions'][number]

const readCommitted = 1

/** What negative timestamps stand for, each with the version that brought it (ListOffsetsRequest). */
const places = {
  latest: { timestamp: -1n, since: 1 },
  earliest: { timestamp: -2n, since: 1 },
  maxTimestamp: { timestamp: -3n, since: 7 },
  earliestLocal: { timestamp: -4n, since: 8 },
  latestTiered: { timestamp: -5n, since: 9 },
  earliestPendingUpload: { timestamp: -6n, since: 11 },
} as const

const nowhere: TimestampOffset = { timestamp: -1n, offset: -1n, leaderEpoch: -1 }

export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: '1-11',
  request: ListOffsetsRequest,
  response: ListOffsetsResponse,

  async handle(request, context) {
    const isReadCommitted = request.isolationLevel === readCommitted
    const topics = mergedByPartition(request).map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(partitions.map(asked => answerOf(name, asked, isReadCommitted, context))),
    }))
    return { topics: await Promise.all(topics) }
  },

  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
})

async function answerOf(
  name: string,
  { asked, isDuplicate }: Merged,
  isReadCommitted: boolean,
  context: Context,
): Promise<PartitionAnswer> {
  const { partitionIndex } = asked
  try {
    if (isDuplicate) throw new KafkaError('INVALID_REQUEST')
    const found = await find(name, asked, isReadCommitted, context)
    return { partitionIndex, errorCode: errorCodes.NONE, ...found }
  } catch (error) {
    if (error instanceof KafkaError) return { partitionIndex, errorCode: error.code }
    throw error
  }
}

function find(
  name: string,
  { partitionIndex, currentLeaderEpoch, timestamp }: Asked,
  isReadCommitted: boolean,
  { catalog, version }: Context,
): TimestampOffset | Promise<TimestampOffset> {
  const place = Object.values(places).find(each => each.timestamp === timestamp)
  if (timestamp < 0n && (!place || version < place.since)) throw new KafkaError('UNSUPPORTED_VERSION')
  const log = findPartition(findReadable(catalog, { name, topicId: noTopicId }), partitionIndex)
  checkLeaderEpoch(log, currentLeaderEpoch)

  const end = isReadCommitted ? log.lastStableOffset : log.highWatermark
  const ifVisible = (found: TimestampOffset | undefined): TimestampOffset =>
    found && found.offset < end ? found : nowhere
  switch (place) {
    case places.latest:
      return { timestamp: -1n, offset: end, leaderEpoch: log.leaderEpoch }
    case places.earliest:
    case places.earliestLocal:
      return { timestamp: -1n, offset: log.logStartOffset, leaderEpoch: epochAt(log, log.logStartOffset) }
    case places.latestTiered:
    case places.earliestPendingUpload:
      return nowhere
    case places.maxTimestamp:
      return log.maxTimestamp().then(ifVisible)
    default:
      return log.offsetForTimestamp(timestamp).then(ifVisible)
  }
}

/** The epoch in which the record at `offset` was written, or will be. */
function epochAt(log: ReadablePartition, offset: bigint): number {
  let epoch = 0
  while (epoch < log.leaderEpoch && log.epochEnd(epoch).endOffset <= offset) epoch++
  return epoch
}

interface Merged {
  readonly asked: Asked
  readonly isDuplicate: boolean
}

/** Each topic and partition once: one that is asked for twice gets one answer, a refusal. */
function mergedByPartition(request: ListOffsetsRequest): { name: string; partitions: Merged[] }[] {
  const topics = new Map<string, Map<number, Merged>>()
  for (const { name, partitions } of request.topics) {
    const merged = topics.get(name) ?? new Map<number, Merged>()
    topics.set(name, merged)
    for (const asked of partitions) {
      merged.set(asked.partitionIndex, { asked, isDuplicate: merged.has(asked.partitionIndex) })
    }
  }
  return [...topics].map(([name, merged]) => ({ name, partitions: [...merged.values()] }))
}
