import { batchesIn } from '../protocol/records/batch.ts'
import { placesIn } from './index-loading.ts'
import type { VlsnPartition } from './vlsn-partition.ts'
import type { VlsnTopic } from './vlsn-topic.ts'

const readLength = 1024 * 1024

/** Holds the index of each partition against its log, and every record against the rules. Resolves to what is wrong, a sentence each. */
export async function auditVlsns(name: string, topic: VlsnTopic): Promise<string[]> {
  const problems: string[] = []
  for (const partition of topic.partitions) {
    if (partition.fault !== undefined) continue
    for await (const problem of auditPartition(partition, topic))
      problems.push(`${name}-${partition.number}: ${problem}`)
  }
  if (topic.end < topic.start) problems.push(`${name}: the view ends at ${topic.end}, before ${topic.start}`)
  return problems
}

async function* auditPartition(
  { number, log, index }: VlsnPartition,
  { eras }: VlsnTopic,
): AsyncGenerator<string, void, void> {
  const start = Number(log.logStartOffset)
  const limit = log.highWatermark
  let last = -1n
  let offset = start
  for (let at = log.logStartOffset; at < limit;) {
    const slice = await log.read(at, { lengthMax: readLength, limit, atLeastOne: true })
    const batches = [...batchesIn(Buffer.concat(slice.pieces))].filter(batch => !batch.isControl)
    slice.release()
    at = slice.nextOffset
    for (const place of batches.flatMap(placesIn)) {
      if (place.offset < start) continue
      const { vlsn } = place
      if (vlsn <= last) yield `VLSN ${vlsn} comes after ${last}`
      if (eras.partitionOf(vlsn) !== number) yield `VLSN ${vlsn} lies elsewhere`
      if (index.offsetOf(vlsn) !== place.offset)
        yield `VLSN ${vlsn} is at offset ${place.offset}, the index says ${index.offsetOf(vlsn)}`
      const next = index.firstFromOffset(offset)
      if (next?.offset !== place.offset) yield `no record at ${next?.offset}, where the index has one`
      last = vlsn
      offset = place.offset + 1
    }
  }
}
