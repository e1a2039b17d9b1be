import type { Disk } from '../base/disk.ts'
import { oracleLayout, scarabLayout } from './id-layout.ts'
import { TimedIds, type TimedIdsOptions } from './timed-ids.ts'

export interface CoordinatorIdsOptions extends TimedIdsOptions {
  /** Which of up to 1024 this one is, from 0 on; no two living ones may have the same number. */
  readonly id: number
}

/** Timestamps for multi-version reads: 41 bits of milliseconds, 10 of oracle, 13 of sequence (seed 002). They are unsigned. */
export class TimestampOracle extends TimedIds {
  /** Opens the oracle whose time bound is in `name`. Rejects with SequencerError, and RangeError for a bad id. */
  static async open(disk: Disk, name: string, options: CoordinatorIdsOptions): Promise<TimestampOracle> {
    const bound = await this.openBound(disk, name, oracleLayout, options.id)
    return new TimestampOracle(name, oracleLayout, options.id, bound, options)
  }
}

/** The ids that a transaction coordinator gives: 41 bits of milliseconds, 10 of coordinator, 12 of sequence (seed 002). */
export class TransactionIds extends TimedIds {
  /** Opens the ids whose time bound is in `name`. Rejects with SequencerError, and RangeError for a bad id. */
  static async open(disk: Disk, name: string, options: CoordinatorIdsOptions): Promise<TransactionIds> {
    const bound = await this.openBound(disk, name, scarabLayout, options.id)
    return new TransactionIds(name, scarabLayout, options.id, bound, options)
  }
}

/** The ids of producer sessions: laid out as those of transactions, and counted apart (seed 002, SessionManager). */
export class SessionIds extends TimedIds {
  /** Opens the ids whose time bound is in `name`. Rejects with SequencerError, and RangeError for a bad id. */
  static async open(disk: Disk, name: string, options: CoordinatorIdsOptions): Promise<SessionIds> {
    const bound = await this.openBound(disk, name, scarabLayout, options.id)
    return new SessionIds(name, scarabLayout, options.id, bound, options)
  }
}
