import { KafkaError, type ErrorName } from '../protocol/errors.ts'
import type { AbortedTransaction } from '../storage/compaction/transaction-walk.ts'
import type { ReadablePartition } from '../storage/readable-partition.ts'
import type { Slice } from '../storage/reading.ts'
import type { Catalog } from './catalog.ts'
import type { Wanted } from './fetch-sessions.ts'
import { checkLeaderEpoch, findPartition, findReadable } from './partitions.ts'
import type { ReadMemory } from './read-memory.ts'

/** What a fetch may take, whatever its partitions. */
export interface FetchLimits {
  readonly lengthMax: number
  readonly isReadCommitted: boolean
}

/** What is read from, and what counts what is read. */
export interface ReadServices {
  readonly catalog: Catalog
  readonly readMemory: ReadMemory
}

/** One partition, read once: a slice, or why there is none. */
export interface Reading {
  readonly wanted: Wanted
  readonly log: ReadablePartition | undefined
  readonly error: ErrorName | undefined
  readonly slice: Slice | undefined
  /** Where the visible records ended when it was read; undefined where it was not. */
  readonly limit?: bigint
  /** For a reader of committed records: whose records in the slice are not for it. */
  readonly aborted?: readonly AbortedTransaction[]
  /** Where the reader's log and ours part (KIP-595), when it is behind `fetchOffset`. */
  readonly diverging: { epoch: number; endOffset: bigint } | undefined
}

/** Whether there is more by now, as there may be after others had to be read from disk. */
export function hasAdvanced({ log, limit }: Reading, { isReadCommitted }: FetchLimits): boolean {
  return limit !== undefined && limitOf(log!, isReadCommitted) > limit
}

function limitOf(log: ReadablePartition, isReadCommitted: boolean): bigint {
  return isReadCommitted ? log.lastStableOffset : log.highWatermark
}

/** Reads each wanted partition in turn until the limit is reached. Stays synchronous while everything is in memory. */
export function readAll(
  wanted: readonly Wanted[],
  limits: FetchLimits,
  services: ReadServices,
): Reading[] | Promise<Reading[]> {
  const gathering = new Gathering(limits, services)
  for (let index = 0; index < wanted.length; index++) {
    const reading = gathering.read(wanted[index]!)
    if (reading instanceof Promise) return readRest(gathering, reading, wanted.slice(index + 1))
    gathering.take(reading)
  }
  return gathering.readings
}

async function readRest(
  gathering: Gathering,
  pending: Promise<Reading>,
  rest: readonly Wanted[],
): Promise<Reading[]> {
  gathering.take(await pending)
  for (const wanted of rest) gathering.take(await gathering.read(wanted))
  return gathering.readings
}

/** The readings so far, and what they leave of the limit. */
class Gathering {
  readonly readings: Reading[] = []
  readonly #isReadCommitted: boolean
  readonly #services: ReadServices
  #remaining: number
  #taken = 0

  constructor({ lengthMax, isReadCommitted }: FetchLimits, services: ReadServices) {
    this.#remaining = lengthMax
    this.#isReadCommitted = isReadCommitted
    this.#services = services
  }

  read(wanted: Wanted): Reading | Promise<Reading> {
    const remaining = this.#services.readMemory.allow(this.#remaining, this.#taken)
    return readOne(wanted, remaining, this.#taken === 0, this.#isReadCommitted, this.#services)
  }

  take(reading: Reading): void {
    this.readings.push(reading)
    const length = reading.slice?.length ?? 0
    this.#remaining -= length
    this.#taken += length
  }
}

/** Gives the readings' memory back unsent. */
export function releaseAll(readings: readonly Reading[]): void {
  for (const { slice } of readings) slice?.release()
}

function readOne(
  wanted: Wanted,
  remaining: number,
  atLeastOne: boolean,
  isReadCommitted: boolean,
  { catalog, readMemory }: ReadServices,
): Reading | Promise<Reading> {
  const failed = (error: unknown, log?: ReadablePartition): Reading => {
    if (!(error instanceof KafkaError)) throw error
    return { wanted, log, error: error.error, slice: undefined, diverging: undefined }
  }
  let log: ReadablePartition | undefined
  try {
    const { topic, topicId, usesTopicId, partition } = wanted
    log = findPartition(
      findReadable(catalog, usesTopicId ? { topicId } : { name: topic, topicId }),
      partition,
    )
    checkLeaderEpoch(log, wanted.currentLeaderEpoch)
    const diverging = divergence(log, wanted)
    if (diverging) return { wanted, log, error: undefined, slice: undefined, diverging }
    const { fetchOffset } = wanted
    if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset)
      throw new KafkaError('OFFSET_OUT_OF_RANGE')

    const limit = limitOf(log, isReadCommitted)
    const lengthMax = Math.min(remaining, wanted.lengthMax)
    if (fetchOffset >= limit || (lengthMax <= 0 && !atLeastOne)) {
      return {
        wanted,
        log,
        error: undefined,
        slice: undefined,
        limit,
        ...(isReadCommitted && { aborted: [] }),
        diverging,
      }
    }
    const found = log
    const { aborted } = log
    const complete = (slice: Slice): Reading => ({
      wanted,
      log: found,
      error: undefined,
      slice: readMemory.hold(slice),
      limit,
      ...(isReadCommitted && { aborted: aborted.between(Number(fetchOffset), Number(slice.nextOffset)) }),
      diverging: undefined,
    })
    const slice = log.read(fetchOffset, { lengthMax, limit, atLeastOne })
    return slice instanceof Promise ? slice.then(complete, error => failed(error, found)) : complete(slice)
  } catch (error) {
    return failed(error, log)
  }
}

function divergence(log: ReadablePartition, wanted: Wanted): Reading['diverging'] {
  if (wanted.lastFetchedEpoch < 0) return undefined
  const end = log.epochEnd(wanted.lastFetchedEpoch)
  // An epoch that this log has not seen says nothing of where to go on (Partition.readRecords).
  if (end.leaderEpoch < 0) throw new KafkaError('OFFSET_OUT_OF_RANGE')
  if (end.leaderEpoch < wanted.lastFetchedEpoch || end.endOffset < wanted.fetchOffset) {
    return { epoch: end.leaderEpoch, endOffset: end.endOffset }
  }
  return undefined
}
