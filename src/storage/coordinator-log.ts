import { Batch, batchesIn } from '../protocol/records/batch.ts'
import { buildBatch, readRecords } from '../protocol/records/record.ts'
import type { PartitionLog } from './partition-log.ts'

/** A record of a coordinator: a value under a key, null where it was taken away. */
export interface CoordinatorRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

const replayLength = 1024 * 1024

/**
 * A partition as its coordinator uses it: what was decided is appended as records, and replayed from the start after a
 * restart. Never held back when the store is congested, since others wait for what it writes.
 */
export class CoordinatorLog {
  readonly #log: PartitionLog
  #lastPending: Promise<void> = Promise.resolve()

  constructor(log: PartitionLog) {
    this.#log = log
  }

  /** Appends records as one batch; resolves when they are synced. Rejects and throws as `PartitionLog.append` does. */
  append(records: readonly CoordinatorRecord[], timestamp: bigint): Promise<void> {
    const batch = buildBatch({ records: records.map(({ key, value }) => ({ key, value, timestamp })) })
    const pending = this.#log.append(batch).committed
    this.#lastPending = pending
    // Whoever reads the log from now on knows what came of it; a reply to them does not depend on it any more.
    pending.catch(() => {
      if (this.#lastPending === pending) this.#lastPending = Promise.resolve()
    })
    return pending
  }

  /**
   * Settles when the last append that is under way has: a reply that writes nothing waits for it, to say nothing that a crash
   * takes back. Rejects if that one fails, and only while it is waited for.
   */
  get lastPending(): Promise<void> {
    return this.#lastPending
  }

  /** Visits every synced record in order. The buffers are good during the visit only. */
  async replay(
    visit: (key: Buffer | null, value: Buffer | null, offset: bigint, timestamp: bigint) => void,
  ): Promise<void> {
    const limit = this.#log.highWatermark
    for (let offset = this.#log.logStartOffset; offset < limit;) {
      const slice = await this.#log.read(offset, { lengthMax: replayLength, limit, atLeastOne: true })
      try {
        for (const piece of slice.pieces) for (const batch of batchesIn(piece)) visitBatch(batch, offset)
      } finally {
        slice.release()
      }
      offset = slice.nextOffset
    }

    function visitBatch(batch: Batch, from: bigint): void {
      if (batch.isControl) return
      for (const { key, value, offset, timestamp } of readRecords(batch)) {
        if (offset >= from) visit(key, value, offset, timestamp)
      }
    }
  }
}
