import { clientError } from '../groups/share/led-partitions.ts'
import type { LedPartition } from '../groups/share/led-partition.ts'
import type { SessionPartition } from '../groups/share/sessions.ts'
import type { AcquiredRecords, LogBatch } from '../groups/share/share-partition.ts'
import type { KafkaError } from '../protocol/errors.ts'
import { batchesIn, type Batch } from '../protocol/records/batch.ts'
import type { PartitionLog, Slice } from '../storage/partition-log.ts'
import type { Context } from './context.ts'
import { findPartition, findTopic } from './partitions.ts'

/** One partition of a share fetch, read once: what may be handed out, or why there is nothing. */
export interface ShareReading {
  readonly wanted: SessionPartition
  readonly error: KafkaError | undefined
  readonly log: PartitionLog | undefined
  readonly led: LedPartition | undefined
  /** Where it was read from. */
  readonly from: number
  readonly slice: Slice | undefined
  /** How things stood then, to see later whether they have moved. */
  readonly highWatermark: bigint
  readonly changeCount: number
}

/** What a share fetch may take. */
export interface ShareFetchLimits {
  readonly lengthMax: number
  readonly recordsMax: number
  readonly isReadCommitted: boolean
}

/** What is handed out of a partition: the records and the bytes that they lie in. */
export interface HandedOut {
  readonly acquired: readonly AcquiredRecords[]
  readonly pieces: readonly Buffer[]
}

/** More of one partition than this is not looked at for one fetch. */
const readLengthMax = 1024 * 1024

/** Reads each wanted partition in turn, until there is as much as may be taken. */
export async function readShares(
  groupId: string,
  wanted: readonly SessionPartition[],
  limits: ShareFetchLimits,
  context: Context,
): Promise<ShareReading[]> {
  const readings: ShareReading[] = []
  let { lengthMax, recordsMax } = limits
  for (const each of wanted) {
    const allowed = context.readMemory.allow(lengthMax, limits.lengthMax - lengthMax)
    const isFull = allowed <= 0 || recordsMax <= 0
    const reading = await readShare(
      groupId,
      each,
      isFull ? 0 : Math.min(allowed, readLengthMax),
      limits,
      context,
    )
    readings.push(reading)
    if (!reading.slice) continue
    lengthMax -= reading.slice.length
    recordsMax -= Number(reading.slice.nextOffset) - reading.from
  }
  return readings
}

async function readShare(
  groupId: string,
  wanted: SessionPartition,
  lengthMax: number,
  limits: ShareFetchLimits,
  context: Context,
): Promise<ShareReading> {
  const { topicId, partition } = wanted
  let log: PartitionLog | undefined
  let led: LedPartition | undefined
  const reading = (from: number, slice: Slice | undefined, error?: KafkaError): ShareReading => ({
    wanted,
    error,
    log,
    led,
    from,
    slice,
    highWatermark: log?.highWatermark ?? 0n,
    changeCount: led?.changeCount ?? 0,
  })
  try {
    log = findPartition(findTopic(context.catalog, { topicId }), partition)
    led = await context.shareReaders.led.open({ groupId, topicId, partition }, log)
    const from = led.nextFetchOffset
    const limit = limits.isReadCommitted ? log.lastStableOffset : log.highWatermark
    if (lengthMax <= 0 || from === undefined || BigInt(from) >= limit) return reading(0, undefined)
    const slice = await log.read(BigInt(from), { lengthMax, limit, atLeastOne: true })
    return reading(from, context.readMemory.hold(slice))
  } catch (error) {
    return reading(0, undefined, clientError(error))
  }
}

/** Whether something may be there by now that was not when it was read. */
export function hasShareAdvanced({ log, led, highWatermark, changeCount }: ShareReading): boolean {
  return (
    (log !== undefined && log.highWatermark > highWatermark) ||
    (led !== undefined && led.changeCount > changeCount)
  )
}

/** Hands out what was read and is still free; nothing where others were faster. */
export function handOut(
  { led, log, slice, from }: ShareReading,
  asked: { memberId: string; recordsMax: number; isStrict: boolean; pieceRecords: number },
  isReadCommitted: boolean,
): HandedOut {
  if (!led || !log || !slice) return nothing
  const acquired = led.acquire({ ...asked, from, batches: logBatches(slice) })
  if (acquired.length === 0) return nothing
  const aborted = isReadCommitted ? abortedIn(log, slice, acquired) : []
  for (const batch of aborted) led.archive(asked.memberId, batch)
  const left = without(acquired, aborted)
  if (left.length === 0) return nothing
  return { acquired: left, pieces: piecesOf(slice, left[0]!.firstOffset, left.at(-1)!.lastOffset) }
}

const nothing: HandedOut = { acquired: [], pieces: [] }

/** The batches of aborted transactions among what was acquired. */
function abortedIn(log: PartitionLog, slice: Slice, acquired: readonly AcquiredRecords[]): LogBatch[] {
  const lastOffset = acquired.at(-1)!.lastOffset
  const transactions = log.abortedTransactions(BigInt(acquired[0]!.firstOffset), BigInt(lastOffset + 1))
  if (transactions.length === 0) return []
  const aborted: LogBatch[] = []
  for (const piece of slice.pieces) {
    for (const batch of batchesIn(piece)) {
      const offsets = offsetsOf(batch)
      if (offsets.firstOffset > lastOffset) return aborted
      if (!batch.isTransactional || batch.isControl) continue
      const isAborted = transactions.some(
        ({ producerId, firstOffset, lastOffset }) =>
          producerId === batch.producerId &&
          firstOffset <= offsets.firstOffset &&
          offsets.firstOffset <= lastOffset,
      )
      if (isAborted) aborted.push(offsets)
    }
  }
  return aborted
}

/** What is left of acquired records when those of some batches are given up. Both are in order. */
function without(acquired: readonly AcquiredRecords[], batches: readonly LogBatch[]): AcquiredRecords[] {
  if (batches.length === 0) return [...acquired]
  return acquired.flatMap(records => {
    const left: AcquiredRecords[] = []
    let from = records.firstOffset
    for (const { firstOffset, lastOffset } of batches) {
      if (lastOffset < from || firstOffset > records.lastOffset) continue
      if (firstOffset > from) left.push({ ...records, firstOffset: from, lastOffset: firstOffset - 1 })
      from = lastOffset + 1
    }
    if (from <= records.lastOffset) left.push({ ...records, firstOffset: from })
    return left
  })
}

function* logBatches(slice: Slice): Generator<LogBatch> {
  for (const piece of slice.pieces) for (const batch of batchesIn(piece)) yield offsetsOf(batch)
}

function offsetsOf(batch: Batch): LogBatch {
  const firstOffset = Number(batch.baseOffset)
  return { firstOffset, lastOffset: firstOffset + batch.lastOffsetDelta }
}

/** The bytes of the batches that hold the records from `firstOffset` to `lastOffset`. */
function piecesOf(slice: Slice, firstOffset: number, lastOffset: number): Buffer[] {
  const pieces: Buffer[] = []
  for (const piece of slice.pieces) {
    let start: number | undefined
    let end = 0
    for (const batch of batchesIn(piece)) {
      const offsets = offsetsOf(batch)
      if (offsets.lastOffset < firstOffset) continue
      if (offsets.firstOffset > lastOffset) break
      start ??= batch.position
      end = batch.position + batch.sizeInBytes
    }
    if (start !== undefined) pieces.push(piece.subarray(start, end))
  }
  return pieces
}
