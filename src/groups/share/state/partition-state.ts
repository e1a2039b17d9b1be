import type { CoordinatedState } from '../../../coordination/state.ts'
import { overlay } from './delivery.ts'
import { coordinatorKey, type ShareKey } from './key.ts'
import { readShareStateRecord, type ShareChange, type ShareState } from './records.ts'

/** A share partition, and where the log says so. */
export interface Entry {
  readonly key: ShareKey
  state: ShareState
  /** The number of its snapshot among the records of this log. */
  snapshotNumber: number
  updateCount: number
}

/** What one partition of `__share_group_state` says. */
export class ShareStates implements CoordinatedState {
  /** By coordinator key, that with the oldest snapshot first. */
  readonly #entries = new Map<string, Entry>()
  /** The records that were replayed so far: those before the oldest snapshot say nothing any more. */
  #recordCount = 0
  #cutCount = 0

  /** Applies a record: as it is decided, and again at every start. */
  replay(key: Buffer, value: Buffer | null): void {
    const number = this.#recordCount++
    const record = readShareStateRecord(key, value)
    if (!record) return
    const id = coordinatorKey(record.key)
    if (record.type === 'update') {
      const entry = this.#entries.get(id)
      // An update that outlived its snapshot belongs to what was deleted.
      if (entry?.state.snapshotEpoch === record.value.snapshotEpoch) apply(entry, record.value)
      return
    }
    this.#entries.delete(id)
    if (!record.value) return
    this.#entries.set(id, { key: record.key, state: record.value, snapshotNumber: number, updateCount: 0 })
  }

  dispose(): void {}

  get(key: ShareKey): Entry | undefined {
    return this.#entries.get(coordinatorKey(key))
  }

  entries(): Iterable<Entry> {
    return this.#entries.values()
  }

  /** The share partition whose snapshot keeps the log from being cut. */
  get oldest(): Entry | undefined {
    return this.#entries.values().next().value
  }

  /** How many records share partitions need, counted from the end of the log. */
  get neededCount(): number {
    return this.oldest ? this.#recordCount - this.oldest.snapshotNumber : 0
  }

  /** How many records at the start of the log say nothing that later ones do not say, as far as they were not cut off. */
  get redundantCount(): number {
    return this.#recordCount - this.neededCount - this.#cutCount
  }

  /** As many as are redundant now will not be there any more. */
  cut(): void {
    this.#cutCount += this.redundantCount
  }
}

/** A change with -1 for an epoch or the start leaves them as they are. */
function apply(entry: Entry, change: ShareChange): void {
  const { state } = entry
  const startOffset = change.startOffset === -1 ? state.startOffset : change.startOffset
  entry.updateCount++
  entry.state = {
    ...state,
    leaderEpoch: change.leaderEpoch === -1 ? state.leaderEpoch : change.leaderEpoch,
    startOffset,
    deliveryCompleteCount: change.deliveryCompleteCount,
    batches: overlay(state.batches, change.batches, startOffset),
  }
}
