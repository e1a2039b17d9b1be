/**
 * Fetch. Behaviour: whole batches from each wanted offset up to the high watermark, the first of an answer even when
 * it is larger than the limits; waits up to `maxWaitMs` for `minBytes`. Batches leave as the bytes they were stored in. A reader of
 * committed records is given them up to the last stable offset, markers and aborted ones included, and is told which were aborted.
 *
 * Versions: sessions from 7 (KIP-227), leader epochs from 9 (KIP-320), divergence from 12 (KIP-595), topic ids from
 * 13 (KIP-516), replica state from 15 (KIP-903); a replica's own fields are accepted and mean nothing here.
 */
import { errorCodes } from '../../protocol/errors.ts'
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { AbortedTransaction } from '../../storage/compaction/transaction-walk.ts'
import { api } from '../api.ts'
import type { Context } from '../context.ts'
import { hasAdvanced, readAll, releaseAll, type FetchLimits, type Reading } from '../fetch-reads.ts'
import type { FetchPlan } from '../fetch-sessions.ts'
import type { Wake } from '../purgatory.ts'

type Answer = Draft<typeof FetchResponse>
type TopicAnswer = Answer['responses'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]

const readCommitted = 1

export const fetch = api({
  key: 1,
  name: 'Fetch',
  versions: '4-18',
  request: FetchRequest,
  response: FetchResponse,

  handle(request, context) {
    const plan = context.fetchSessions.plan(request, context.version)
    const wanted = [...plan.wanted]
    const deadline = context.clock.monotonic() + request.maxWaitMs
    const limits: FetchLimits = {
      lengthMax: Math.min(request.maxBytes, context.settings.get('fetch.max.bytes')),
      isReadCommitted: request.isolationLevel === readCommitted,
    }
    const read = (): Reading[] | Promise<Reading[]> => readAll(wanted, limits, context)
    const finish = (readings: Reading[]): Answer | Promise<Answer> =>
      isEnough(readings, request, limits) ? answer(readings, plan, context) : wait(readings)

    const park = (readings: readonly Reading[]): Promise<Wake> | Wake => {
      const { closed } = context.connection
      const isOver = closed.aborted || context.clock.monotonic() >= deadline
      // Nobody was listening to the logs while some of them were read from disk.
      if (!isOver && readings.some(reading => hasAdvanced(reading, limits))) return 'advance'
      return context.purgatory.park(
        readings.flatMap(({ log }) => log ?? []),
        deadline,
        closed,
      )
    }
    const wait = async (before: Reading[]): Promise<Answer> => {
      let readings = before
      for (let mayGrow = true; mayGrow && !isEnough(readings, request, limits);) {
        releaseAll(readings)
        mayGrow = (await park(readings)) === 'advance'
        readings = await read()
      }
      return answer(readings, plan, context)
    }

    const readings = read()
    return readings instanceof Promise ? readings.then(finish) : finish(readings)
  },

  refuse: (_request, errorCode) => ({ errorCode, responses: [] }),
})

/** Whether there is something to say now (DelayedFetch, ReplicaManager.fetchMessages). Nobody waits for more than may be answered. */
function isEnough(
  readings: readonly Reading[],
  { maxWaitMs, minBytes }: FetchRequest,
  { lengthMax }: FetchLimits,
): boolean {
  if (maxWaitMs <= 0 || readings.length === 0) return true
  let length = 0
  for (const reading of readings) {
    if (reading.error || reading.diverging) return true
    length += readableLength(reading)
  }
  return length >= Math.min(minBytes, lengthMax)
}

/** What counts as read: where there is more, all that was asked for, as in Kafka, which cuts its answer within a batch. */
function readableLength({ wanted, slice, limit }: Reading): number {
  if (!slice) return 0
  return limit !== undefined && slice.nextOffset < limit
    ? Math.max(slice.length, wanted.lengthMax)
    : slice.length
}

function answer(readings: readonly Reading[], plan: FetchPlan, context: Context): Answer {
  const responses: (TopicAnswer & { partitions: PartitionAnswer[] })[] = []
  for (const reading of readings) {
    const { wanted } = reading
    const partition = answerOf(reading)
    const isNews = hasNews(reading, partition)
    wanted.told = reading.error
      ? undefined
      : { highWatermark: partition.highWatermark, logStartOffset: partition.logStartOffset! }
    if (reading.slice) context.onSent(() => reading.slice!.release())
    if (reading.slice && reading.slice.length > 0) plan.moveLast(wanted)
    if (plan.isIncremental && !isNews) continue
    const last = responses.at(-1)
    if (last && last.topic === wanted.topic && last.topicId === wanted.topicId)
      last.partitions.push(partition)
    else responses.push({ topic: wanted.topic, topicId: wanted.topicId, partitions: [partition] })
  }
  return { errorCode: errorCodes.NONE, sessionId: plan.sessionId, responses }
}

function answerOf({ wanted, log, error, slice, aborted, diverging }: Reading): PartitionAnswer {
  const partitionIndex = wanted.partition
  if (error || !log) {
    const errorCode = errorCodes[error ?? 'UNKNOWN_SERVER_ERROR']
    return {
      partitionIndex,
      errorCode,
      highWatermark: -1n,
      lastStableOffset: -1n,
      logStartOffset: -1n,
      abortedTransactions: null,
      records: emptyRecords,
    }
  }
  return {
    partitionIndex,
    errorCode: errorCodes.NONE,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    abortedTransactions: aborted ? aborted.map(abortedOf) : null,
    records: slice ? slice.pieces : emptyRecords,
    ...(diverging && { divergingEpoch: diverging }),
  }
}

function abortedOf({ producerId, firstOffset }: AbortedTransaction): {
  producerId: bigint
  firstOffset: bigint
} {
  return { producerId, firstOffset: BigInt(firstOffset) }
}

// Older clients take null records for a fault.
const emptyRecords = Buffer.alloc(0)

/** Whether an incremental answer must carry the partition (FetchSession.CachedPartition.maybeUpdateResponseData). */
function hasNews({ wanted, error, slice, diverging }: Reading, partition: PartitionAnswer): boolean {
  if (error || diverging || (slice && slice.length > 0)) return true
  const { told } = wanted
  return told?.highWatermark !== partition.highWatermark || told?.logStartOffset !== partition.logStartOffset
}
