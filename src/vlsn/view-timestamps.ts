import { PartitionRecords } from './partition-records.ts'
import type { VlsnPartition } from './vlsn-partition.ts'
import type { VlsnTopic } from './vlsn-topic.ts'

/** A record of the view and its timestamp, in milliseconds since 1970. */
export interface Dated {
  readonly vlsn: bigint
  readonly timestamp: number
}

const readLength = 64 * 1024

/** The first record of the view whose timestamp is at or after `timestamp`. */
export async function recordAtOrAfter(topic: VlsnTopic, timestamp: bigint): Promise<Dated | undefined> {
  const target = Number(timestamp)
  let first: Dated | undefined
  for (const partition of topic.partitions) {
    // Before that one there is none in the partition, whether the view has it or not.
    const found = await partition.log.offsetForTimestamp(timestamp)
    if (!found) continue
    const end = first?.vlsn ?? topic.end
    for await (const record of recordsOf(partition, Number(found.offset), topic.start, end)) {
      if (record.timestamp < target) continue
      first = record
      break
    }
  }
  return first
}

/** The first record of the view with the greatest timestamp. */
export async function greatestTimestamp(topic: VlsnTopic): Promise<Dated | undefined> {
  const { start, end } = topic
  let greatest: Dated | undefined
  const take = (record: Dated): void => {
    const { vlsn, timestamp } = record
    const isGreater = !greatest || timestamp > greatest.timestamp
    if (isGreater || (timestamp === greatest!.timestamp && vlsn < greatest!.vlsn)) greatest = record
  }
  for (const partition of topic.partitions) {
    const found = await partition.log.maxTimestamp()
    if (!found || (greatest && Number(found.timestamp) < greatest.timestamp)) continue
    const offset = Number(found.offset)
    const place = partition.index.firstFromOffset(offset)
    const isThere = place?.offset === offset
    const [record] = isThere ? await first(recordsOf(partition, offset, place.vlsn, end)) : []
    const isInView = record && record.vlsn >= start && record.timestamp === Number(found.timestamp)
    if (isInView) take(record)
    // The view does not have it: the next best may be anywhere.
    else for await (const each of recordsOf(partition, 0, start, end)) take(each)
  }
  return greatest
}

async function first<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  for await (const item of items) return [item]
  return []
}

/** The records of a partition from `offset` on, as far as they are from VLSN `start` to before `end`. */
async function* recordsOf(
  partition: VlsnPartition,
  offset: number,
  start: bigint,
  end: bigint,
): AsyncGenerator<Dated, void, void> {
  const place = partition.index.firstFrom(start)
  if (!place) return
  const records = new PartitionRecords(partition, Math.max(offset, place.offset))
  try {
    for (await records.seek(start, readLength); records.isThere && records.vlsn! < end;) {
      yield { vlsn: records.vlsn!, timestamp: records.timestamp }
      records.next()
      if (records.isShort) await records.load(readLength)
    }
  } finally {
    records.release()
  }
}
