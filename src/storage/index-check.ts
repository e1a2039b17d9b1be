import { RowView } from './row.ts'
import type { SegmentMemory } from './segment.ts'
import { indexEntryLength, readIndex } from './sparse-index.ts'

/** The stride at which every row has an entry. */
export const everyRow = 0

/** What a sparse index says of the blocks that end before `size`. */
export function indexUpTo(found: Buffer, size: number): Buffer {
  let end = indexEntryLength
  while (end + indexEntryLength <= found.length && found.readUInt32BE(end + 4) < size) end += indexEntryLength
  return found.subarray(0, end)
}

/**
 * Why a segment's sparse index is not one that its blocks give, whatever its stride; undefined where it is. `memory` was
 * filled with the stride `everyRow`.
 */
export function indexFault(found: Buffer, memory: SegmentMemory): string | undefined {
  if (!readIndex(found)) return 'is not sound'
  const row = new RowView()
  const recordsSince = new Map<number, number>()
  let strideMax = Infinity
  let withoutMax = -1
  let at = indexEntryLength
  for (let ordinal = 0; ordinal < memory.rows.count; ordinal++) {
    const { partition, baseOffset, recordCount } = memory.row(ordinal, row)
    const since = recordsSince.get(partition)
    const isIndexed = memory.index[ordinal + 1]!.equals(found.subarray(at, at + indexEntryLength))
    if (isIndexed) at += indexEntryLength
    if (since === undefined && !isIndexed) {
      return `has no entry for offset ${baseOffset} of partition ${partition}, its first there`
    }
    if (isIndexed) strideMax = Math.min(strideMax, since ?? Infinity)
    else withoutMax = Math.max(withoutMax, since!)
    recordsSince.set(partition, isIndexed ? recordCount : since! + recordCount)
  }
  if (at < found.length) return `has an entry at ${at} that the blocks do not give`
  return withoutMax >= strideMax ? 'has strides of different lengths' : undefined
}
