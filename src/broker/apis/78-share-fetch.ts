/**
 * ShareFetch (KIP-932). Behaviour: settles what the request says of records that the member holds, then hands out others: whole
 * batches, of which `acquiredRecords` tells what is the member's for `share.record.lock.duration.ms`. Waits up to `maxWaitMs`
 * for `minBytes`. Batches leave as the bytes they were stored in. A session knows what the member reads; it ends with epoch -1 or
 * with its connection, and what the member holds is free again then.
 *
 * Versions: from 2 locks are renewed (KIP-1222) and `shareAcquireMode` 1 keeps strictly to `maxRecords` (KIP-1206).
 */
import { sessionEpochs, type SessionPartition, type ShareSession } from '../../groups/share/sessions.ts'
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { ShareFetchRequest, ShareFetchResponse } from '../../protocol/messages/78-share-fetch.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import type { Context } from '../context.ts'
import { acknowledgeAll, type Acknowledged } from '../share-acknowledgements.ts'
import {
  handOut,
  hasShareAdvanced,
  readShares,
  type HandedOut,
  type ShareFetchLimits,
  type ShareReading,
} from '../share-fetch-reads.ts'

type Answer = Draft<typeof ShareFetchResponse>
type PartitionAnswer = Answer['responses'][number]['partitions'][number]

/** A partition that something can be said of: records, or why there are none. */
interface Fetched extends HandedOut {
  readonly reading: ShareReading
}

/** ShareAcquireMode of Kafka: whole batches, or no more records than were asked for. */
const recordLimitMode = 1

export const shareFetch = api({
  key: 78,
  name: 'ShareFetch',
  versions: '1-2',
  request: ShareFetchRequest,
  response: ShareFetchResponse,

  async handle(request, context) {
    check(request)
    const { shareReaders } = context
    const groupId = request.groupId!
    const memberId = request.memberId!
    const session = sessionOf(request, context)
    const acknowledged = acknowledgeAll(
      { groupId, memberId, isRenewAck: request.isRenewAck },
      request.topics,
      context,
    )
    if (request.shareSessionEpoch === sessionEpochs.final) {
      // What was acknowledged is not held any more by now.
      const results = await acknowledged
      await shareReaders.leave(session)
      return answer(groupId, results, [], context)
    }
    const [fetched, results] = await Promise.all([fetch(request, session, context), acknowledged])
    return answer(groupId, results, fetched, context)
  },

  refuse: (_request, errorCode) => ({
    errorCode,
    acquisitionLockTimeoutMs: 0,
    responses: [],
    nodeEndpoints: [],
  }),
})

function check(request: ShareFetchRequest): void {
  const { groupId, memberId, shareSessionEpoch, topics } = request
  if (!groupId || !memberId) throw new KafkaError('INVALID_REQUEST')
  const hasAcknowledgements = topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
  )
  if (shareSessionEpoch === sessionEpochs.initial && hasAcknowledgements) {
    throw new KafkaError('INVALID_REQUEST', 'A member that begins a session holds nothing.')
  }
  const { isRenewAck, maxWaitMs, minBytes, maxBytes, maxRecords } = request
  if (isRenewAck && [maxWaitMs, minBytes, maxBytes, maxRecords].some(limit => limit !== 0)) {
    throw new KafkaError('INVALID_REQUEST', 'A request that renews locks fetches nothing.')
  }
}

function sessionOf(request: ShareFetchRequest, { shareReaders, connection }: Context): ShareSession {
  const { topics, forgottenTopicsData, shareSessionEpoch: epoch } = request
  const { sessions } = shareReaders
  const step = { groupId: request.groupId!, memberId: request.memberId!, epoch }
  const isInitial = epoch === sessionEpochs.initial
  const session = isInitial ? sessions.begin(step, connection.closed) : sessions.continue(step)
  if (epoch === sessionEpochs.final) return session
  session.update(
    topics.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partitionIndex }) => ({ topicId, partition: partitionIndex })),
    ),
    forgottenTopicsData.flatMap(({ topicId, partitions }) =>
      partitions.map(partition => ({ topicId, partition })),
    ),
  )
  return session
}

/** Hands out records as soon as there are any, or as the time is up. */
async function fetch(
  request: ShareFetchRequest,
  session: ShareSession,
  context: Context,
): Promise<Fetched[]> {
  const { settings, clock, connection, groupConfigs } = context
  const { groupId } = session
  const limits: ShareFetchLimits = {
    lengthMax: Math.min(request.maxBytes, settings.get('fetch.max.bytes')),
    recordsMax: request.maxRecords,
    isReadCommitted: groupConfigs.get('share.isolation.level', groupId) === 'read_committed',
  }
  const deadline = clock.monotonic() + request.maxWaitMs
  const wanted: SessionPartition[] = session.rotated
  for (;;) {
    const readings = await readShares(groupId, wanted, limits, context)
    const isOver = connection.closed.aborted || clock.monotonic() >= deadline
    if (isOver || isEnough(readings, Math.min(request.minBytes, request.maxBytes))) {
      const fetched = take(readings, request, limits, context)
      if (isOver || fetched.length > 0 || readings.length === 0) return fetched
    } else {
      for (const { slice } of readings) slice?.release()
    }
    if (readings.some(hasShareAdvanced)) continue
    const moving = readings.flatMap(({ log, led }) => [log ?? [], led ?? []].flat())
    await context.purgatory.park(moving, deadline, connection.closed)
  }
}

function isEnough(readings: readonly ShareReading[], minBytes: number): boolean {
  let length = 0
  for (const { error, slice } of readings) {
    if (error) return true
    length += slice?.length ?? 0
  }
  return readings.length === 0 || (length > 0 && length >= minBytes)
}

/** Hands out of what was read; a member whose connection is gone is handed nothing. */
function take(
  readings: readonly ShareReading[],
  request: ShareFetchRequest,
  limits: ShareFetchLimits,
  context: Context,
): Fetched[] {
  let recordsMax = context.connection.closed.aborted ? 0 : request.maxRecords
  const fetched: Fetched[] = []
  for (const reading of readings) {
    const asked = {
      memberId: request.memberId!,
      recordsMax,
      isStrict: request.shareAcquireMode === recordLimitMode,
      pieceRecords: request.batchSize,
    }
    const handedOut = handOut(reading, asked, limits.isReadCommitted)
    for (const { firstOffset, lastOffset } of handedOut.acquired) recordsMax -= lastOffset - firstOffset + 1
    if (handedOut.acquired.length > 0) context.onSent(() => reading.slice!.release())
    else reading.slice?.release()
    if (handedOut.acquired.length > 0 || reading.error) fetched.push({ reading, ...handedOut })
  }
  return fetched
}

function answer(
  groupId: string,
  acknowledged: readonly Acknowledged[],
  fetched: readonly Fetched[],
  context: Context,
): Answer {
  const topics = new Map<string, Map<number, PartitionAnswer>>()
  const place = ({ topicId, partition }: SessionPartition): PartitionAnswer => {
    const partitions = topics.get(topicId) ?? new Map<number, PartitionAnswer>()
    topics.set(topicId, partitions)
    const found = partitions.get(partition) ?? nothing(partition)
    partitions.set(partition, found)
    return found
  }
  for (const { error, ...where } of acknowledged) {
    if (!error) place(where)
    else
      Object.assign(place(where), {
        acknowledgeErrorCode: error.code,
        acknowledgeErrorMessage: error.message,
      })
  }
  for (const { reading, acquired, pieces } of fetched) {
    const { error, wanted } = reading
    if (error) Object.assign(place(wanted), { errorCode: error.code, errorMessage: error.message })
    else Object.assign(place(wanted), { records: pieces, acquiredRecords: acquired.map(toWire) })
  }
  return {
    errorCode: errorCodes.NONE,
    acquisitionLockTimeoutMs: context.shareReaders.lockDurationMs(groupId),
    responses: Array.from(topics, ([topicId, partitions]) => ({
      topicId,
      partitions: [...partitions.values()],
    })),
    nodeEndpoints: [],
  }
}

function nothing(partitionIndex: number): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: errorCodes.NONE,
    acknowledgeErrorCode: errorCodes.NONE,
    currentLeader: { leaderId: 0, leaderEpoch: 0 },
    records: emptyRecords,
    acquiredRecords: [],
  }
}

function toWire({ firstOffset, lastOffset, deliveryCount }: HandedOut['acquired'][number]) {
  return { firstOffset: BigInt(firstOffset), lastOffset: BigInt(lastOffset), deliveryCount }
}

const emptyRecords = Buffer.alloc(0)
