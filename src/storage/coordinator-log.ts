import { Batch, batchesIn } from '../protocol/records/batch.ts'
import { readMarker } from '../protocol/records/control.ts'
import { buildBatch, readRecords } from '../protocol/records/record.ts'
import type { PartitionLog, TransactionEnd } from './partition-log.ts'

/** A record of a coordinator: a value under a key, null where it was taken away. */
export interface CoordinatorRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Whose transaction records are written in. */
export interface CoordinatorProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
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

  /**
   * Appends records as one batch, in the transaction of `producer` where there is one; resolves when they are synced. Rejects
   * and throws as `PartitionLog.append` does.
   */
  append(
    records: readonly CoordinatorRecord[],
    timestamp: bigint,
    producer?: CoordinatorProducer,
  ): Promise<void> {
    const batch = buildBatch({
      records: records.map(({ key, value }) => ({ key, value, timestamp })),
      ...(producer && { ...producer, isTransactional: true }),
    })
    return this.#track(this.#log.append(batch).committed)
  }

  /** Ends a producer's transaction; resolves when that is synced. Rejects and throws as `PartitionLog.endTransaction` does. */
  endTransaction(end: TransactionEnd): Promise<void> {
    return this.#track(this.#log.endTransaction(end).committed)
  }

  #track(pending: Promise<void>): Promise<void> {
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

  /** As in PartitionLog. */
  get leaderEpoch(): number {
    return this.#log.leaderEpoch
  }

  /**
   * Visits every synced record in order, with the producer in whose transaction it is, and tells `ended` of every transaction
   * that ended. The buffers are good during the visit only.
   */
  async replay(
    visit: (
      key: Buffer | null,
      value: Buffer | null,
      offset: bigint,
      timestamp: bigint,
      producerId: bigint | undefined,
    ) => void,
    ended?: (producerId: bigint, type: TransactionEnd['type']) => void,
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
      if (batch.isControl) {
        const marker = readMarker(batch)
        if (marker) ended?.(batch.producerId, marker.type)
        return
      }
      const producerId = batch.isTransactional ? batch.producerId : undefined
      for (const { key, value, offset, timestamp } of readRecords(batch)) {
        if (offset >= from) visit(key, value, offset, timestamp, producerId)
      }
    }
  }
}
