import type { RowView } from './row.ts'
import type { Segment } from './segment.ts'

/** One partition's entries in one segment. */
export class Run {
  readonly segment: Segment
  readonly partition: number
  readonly baseOffset: number
  nextOffset: number
  maxTimestamp: number
  sizeInBytes = 0
  rowCount = 0
  /** Where the rows begin in the segment's footer. */
  firstRow = -1
  /** The rows' ordinals in the segment's memory, while it has one. */
  ordinals: number[] | undefined
  #recordsSinceIndex = 0

  constructor(segment: Segment, partition: number, baseOffset: number) {
    this.segment = segment
    this.partition = partition
    this.baseOffset = baseOffset
    this.nextOffset = baseOffset
    this.maxTimestamp = -Infinity
  }

  /** Takes in the entry whose row is `row`; true when the sparse index wants an entry for it. */
  add(row: RowView, ordinal: number, strideRecords: number): boolean {
    const isIndexed = this.rowCount === 0 || this.#recordsSinceIndex >= strideRecords
    const { recordCount, maxTimestamp } = row
    this.#recordsSinceIndex = (isIndexed ? 0 : this.#recordsSinceIndex) + recordCount
    this.ordinals!.push(ordinal)
    this.rowCount++
    this.nextOffset = row.nextOffset
    this.sizeInBytes += row.length
    if (maxTimestamp > this.maxTimestamp) this.maxTimestamp = maxTimestamp
    return isIndexed
  }
}
