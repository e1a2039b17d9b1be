import { assert } from '../base/assert.ts'
import type { Cancel } from '../base/clock.ts'
import { blockHeaderLength, blockLength } from './block.ts'
import type { PartitionLog } from './partition-log.ts'
import { rowField, rowLength, RowView } from './row.ts'
import type { Segment } from './segment.ts'
import type { Tail } from './walk.ts'

/** Entries on their way to the disk together: open while it takes more, closed when its extent is fixed. */
export class Block {
  readonly number: number
  readonly segment: Segment
  /** Where it begins in the segment. */
  readonly position: number
  readonly firstOrdinal: number
  readonly firstLsn: number
  /** When it took its first entry, in milliseconds since 1970: for all of them, as it is for whoever recovers them. */
  readonly openedMs: number
  lastLsn: number
  entryCount = 0
  recordCount = 0
  bodyLength = 0
  /** The partitions that have entries here, and once it is closed where each ends. */
  readonly logs: PartitionLog[] = []
  readonly ends: number[] = []
  /** By the same index: nobody waits for the sync of these entries, so they may be seen once they are written. */
  readonly isAsync: boolean[] = []
  /** It closes as soon as the block before it is synced, if not before. */
  isDue = false
  /** A produce in `sync` mode has entries here: it takes no other such produce. */
  isSync = false
  /** The shortest delay that is being waited for, in milliseconds. */
  delayMs = Infinity
  readonly #timers: Cancel[] = []
  /** Shared by all of its entries. */
  readonly committed: Promise<void>
  resolve!: () => void
  reject!: (error: Error) => void
  /** Header and directory, once it is closed; the header is written last. */
  head: Buffer | undefined
  indexPieces: Buffer[] = []
  /** The write of `indexPieces`, once the block is being written. */
  index: Promise<void> | undefined
  /** Where the log ends with this block, once it is being written. */
  tail: Tail | undefined
  /** The bookmarks as of this block, where it is the last of its segment. */
  bookmarks: Buffer | undefined

  constructor(
    number: number,
    segment: Segment,
    { firstLsn, openedMs }: { firstLsn: number; openedMs: number },
  ) {
    this.number = number
    this.segment = segment
    this.position = segment.size
    this.firstOrdinal = segment.memory!.rows.count
    this.firstLsn = firstLsn
    this.openedMs = openedMs
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

  /** Notes that a partition has one more entry here. */
  join(log: PartitionLog, isAsync: boolean): void {
    if (log.block !== this.number) {
      log.block = this.number
      log.indexInBlock = this.logs.length
      this.logs.push(log)
      this.isAsync.push(isAsync)
    } else if (!isAsync) {
      this.isAsync[log.indexInBlock] = false
    }
  }

  /** Takes over a timer that makes it due. */
  wait(delayMs: number, timer: Cancel): void {
    this.delayMs = delayMs
    this.#timers.push(timer)
  }

  /** Nothing is waited for any more. */
  cancelTimers(): void {
    for (const cancel of this.#timers) cancel()
  }

  /** Fixes the extent: positions in RAM become the file's, and the directory is drawn. */
  close(): void {
    this.cancelTimers()
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
