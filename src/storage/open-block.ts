import { assert } from '../base/assert.ts'
import { blockHeaderLength, blockLength } from './block.ts'
import type { PartitionLog } from './partition-log.ts'
import { rowField, rowLength, RowView } from './row.ts'
import type { Segment } from './segment.ts'

/** Entries on their way to the disk together: open while it takes more, closed when its extent is fixed. */
export class Block {
  readonly number: number
  readonly segment: Segment
  /** Where it begins in the segment. */
  readonly position: number
  readonly firstOrdinal: number
  readonly firstLsn: number
  lastLsn: number
  entryCount = 0
  bodyLength = 0
  /** The partitions that have entries here, and once it is closed where each ends. */
  readonly logs: PartitionLog[] = []
  readonly ends: number[] = []
  /** Shared by all of its entries. */
  readonly committed: Promise<void>
  resolve!: () => void
  reject!: (error: Error) => void
  /** Header and directory, once it is closed; the header is written last. */
  head: Buffer | undefined
  indexPieces: Buffer[] = []
  /** The bookmarks as of this block, where it is the last of its segment. */
  bookmarks: Buffer | undefined

  constructor(number: number, segment: Segment, firstLsn: number) {
    this.number = number
    this.segment = segment
    this.position = segment.size
    this.firstOrdinal = segment.memory!.rows.count
    this.firstLsn = firstLsn
    this.lastLsn = firstLsn - 1
    this.committed = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // With acks=0 nobody may be waiting, and a failed block is no crash.
    this.committed.catch(() => {})
  }

  get length(): number {
    return blockLength(this.entryCount, this.bodyLength)
  }

  /** Fixes the extent: positions in RAM become the file's, and the directory is drawn. */
  close(): void {
    const { memory } = this.segment
    const head = Buffer.allocUnsafe(blockHeaderLength + this.entryCount * rowLength)
    memory!.rows.copy(this.firstOrdinal, this.entryCount, head, blockHeaderLength)
    const bodyPosition = this.position + head.length
    const row = new RowView()
    let lsn = this.firstLsn - 1
    for (let index = 0; index < this.entryCount; index++) {
      memory!.row(this.firstOrdinal + index, row)
      assert(row.lsn > lsn, 'entries of a block out of the order of their LSNs')
      lsn = row.lsn
      row.bytes.writeUInt32BE(bodyPosition + row.position, row.at + rowField.position)
    }
    assert(lsn === this.lastLsn, 'a block that does not end with its last LSN')
    for (const log of this.logs) this.ends.push(log.state.nextOffset)
    this.head = head
    this.indexPieces = this.segment.takeIndexPieces()
  }
}
