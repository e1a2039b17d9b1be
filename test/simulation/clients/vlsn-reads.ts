import { fetch } from '../../../src/broker/apis/01-fetch.ts'
import { listOffsets } from '../../../src/broker/apis/02-list-offsets.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { batchesIn } from '../../../src/protocol/records/batch.ts'
import { readRecords } from '../../../src/protocol/records/record.ts'
import { hold } from '../hold.ts'
import type { Caller } from '../world.ts'

export interface NumberedRecord {
  readonly offset: bigint
  readonly vlsn: bigint
  readonly value: string
}

export interface Fetched {
  readonly error: string
  readonly records: readonly NumberedRecord[]
  readonly highWatermark: bigint
}

/** Some records of a VLSN topic's partition, or of its view, from an offset on. */
export async function fetchNumbered(
  caller: Caller,
  { topic, partition, fetchOffset }: { topic: string; partition: number; fetchOffset: bigint },
  { maxWaitMs = 0, lengthMax = 1_000_000 } = {},
): Promise<Fetched> {
  const partitions = [{ partition, fetchOffset, logStartOffset: -1n, partitionMaxBytes: lengthMax }]
  const answer = await caller.call(fetch, 11, {
    maxWaitMs,
    minBytes: 1,
    maxBytes: lengthMax,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions }],
    forgottenTopicsData: [],
  })
  const { errorCode, records: bytes, highWatermark } = answer.responses[0]!.partitions[0]!
  const name = `${topic}-${partition}`
  const records: NumberedRecord[] = []
  for (const batch of batchesIn(bytes ?? Buffer.alloc(0))) {
    hold(batch.isSound, () => `${name} has a batch with a wrong checksum at ${batch.baseOffset}`)
    for (const { offset, key, value } of readRecords(batch))
      if (offset >= fetchOffset)
        records.push({ offset, vlsn: key!.readBigInt64BE(), value: value!.toString() })
  }
  const next = records.length > 0 ? records.at(-1)!.offset + 1n : fetchOffset
  hold(
    errorCode !== 0 || next <= highWatermark,
    () => `${name} was read up to ${next}, beyond its end at ${highWatermark}`,
  )
  return { error: errorName(errorCode), records, highWatermark }
}

/**
 * All records of a partition, or of a view, up to `end`, while no client is at work; it may give more of a view, which goes on when the
 * broker closes a gap.
 */
export async function fetchNumberedTo(
  caller: Caller,
  { topic, partition, end }: { topic: string; partition: number; end: bigint },
): Promise<NumberedRecord[]> {
  const all: NumberedRecord[] = []
  for (let fetchOffset = 0n; fetchOffset < end;) {
    const { error, records } = await fetchNumbered(caller, { topic, partition, fetchOffset })
    hold(error === 'NONE', () => `${topic}-${partition} cannot be read: ${error}`)
    // What is left up to the end of a view may be missing for good.
    if (records.length === 0) break
    all.push(...records)
    fetchOffset = records.at(-1)!.offset + 1n
  }
  return all
}

/** Where a partition, or a view, ends. */
export async function endOf(caller: Caller, name: string, partitionIndex: number): Promise<bigint> {
  const partitions = [{ partitionIndex, timestamp: -1n }]
  const answer = await caller.call(listOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions }],
  })
  const { errorCode, offset } = answer.topics[0]!.partitions[0]!
  hold(errorCode === 0, () => `the end of ${name}-${partitionIndex} is refused: ${errorName(errorCode)}`)
  return offset
}
