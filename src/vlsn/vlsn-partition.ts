import type { PartitionLog } from '../storage/partition-log.ts'
import type { Eras } from './eras.ts'
import { loadIndex } from './index-loading.ts'
import { VlsnIndex } from './vlsn-index.ts'

/** One partition of a VLSN topic, and where its VLSNs are. */
export class VlsnPartition {
  readonly number: number
  readonly log: PartitionLog
  readonly index = new VlsnIndex()
  /** Why the index says nothing: the log could not be read at the start. */
  fault: unknown

  constructor(number: number, log: PartitionLog) {
    this.number = number
    this.log = log
  }

  /** Fills the index of a log that was there before. What cannot be read is told to whoever asks. */
  async load(eras: Eras): Promise<void> {
    try {
      await loadIndex(this.log, eras, this.index)
    } catch (error) {
      this.fault = error
    }
  }

  /** Everything below is decided and on disk, so that no crash takes it back: in `async` mode too. */
  get stableOffset(): number {
    return Math.min(Number(this.log.lastStableOffset), this.log.syncedOffset)
  }

  /**
   * The first VLSN of this partition of which it is not decided whether it is there. Nothing is missing below `floor`; and what the
   * partition has passed cannot come any more, since VLSNs rise in it.
   */
  frontier(eras: Eras, floor: bigint): bigint {
    const passed = this.index.lastBeforeOffset(this.stableOffset)
    return eras.firstIn(this.number, passed && passed.vlsn >= floor ? passed.vlsn + 1n : floor)
  }
}
