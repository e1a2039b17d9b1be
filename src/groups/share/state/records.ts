import { prefixed, readValue } from '../../../coordination/records.ts'
import type { StateRecord } from '../../../coordination/state-topic.ts'
import { decode } from '../../../protocol/compile.ts'
import {
  ShareSnapshotKey,
  ShareSnapshotValue,
  ShareUpdateKey,
  ShareUpdateValue,
} from '../../../protocol/messages/share-group-state-records.ts'
import { offsetOf } from '../offset.ts'
import type { StateBatch } from './delivery.ts'
import type { ShareKey } from './key.ts'

/** The first two bytes of a key (CoordinatorRecordType of Kafka's share coordinator). */
export const shareRecordTypes = { snapshot: 0, update: 1 } as const

const valueVersion = 0

/** All that is durable of a share partition. */
export interface ShareState {
  /** Counts the snapshots; updates belong to the one before them. */
  readonly snapshotEpoch: number
  /** Raised by whoever sets the offsets anew, so that nobody goes on from where it was. */
  readonly stateEpoch: number
  readonly leaderEpoch: number
  /** The first record that is not done with; -1 until somebody has read. */
  readonly startOffset: number
  /** Records behind `startOffset` that are done with; -1 where nobody can tell. */
  readonly deliveryCompleteCount: number
  readonly createTimestamp: bigint
  readonly batches: readonly StateBatch[]
}

/** What changed since the last record of a share partition. */
export interface ShareChange {
  readonly snapshotEpoch: number
  readonly leaderEpoch: number
  readonly startOffset: number
  readonly deliveryCompleteCount: number
  readonly batches: readonly StateBatch[]
}

/** What a record of `__share_group_state` says. A snapshot of null ends the share partition. */
export type ShareStateRecord =
  | { readonly type: 'snapshot'; readonly key: ShareKey; readonly value: ShareState | null }
  | { readonly type: 'update'; readonly key: ShareKey; readonly value: ShareChange }

/** The whole state of a share partition; null removes it. */
export function shareSnapshot(key: ShareKey, state: ShareState | null, nowMs: number): StateRecord {
  return {
    key: prefixed(shareRecordTypes.snapshot, ShareSnapshotKey, 0, key),
    value:
      state &&
      prefixed(valueVersion, ShareSnapshotValue, valueVersion, {
        ...state,
        startOffset: BigInt(state.startOffset),
        writeTimestamp: BigInt(nowMs),
        stateBatches: state.batches.map(toWire),
      }),
  }
}

/** What changed in a share partition. */
export function shareUpdate(key: ShareKey, change: ShareChange): StateRecord {
  return {
    key: prefixed(shareRecordTypes.update, ShareUpdateKey, 0, key),
    value: prefixed(valueVersion, ShareUpdateValue, valueVersion, {
      ...change,
      startOffset: BigInt(change.startOffset),
      stateBatches: change.batches.map(toWire),
    }),
  }
}

/** Reads a record; `undefined` for what Kafka passes over as well: other types, later versions, an update that says nothing. */
export function readShareStateRecord(key: Buffer, value: Buffer | null): ShareStateRecord | undefined {
  switch (key.readInt16BE(0)) {
    case shareRecordTypes.snapshot: {
      const read = readValue(ShareSnapshotValue, value)
      if (read === undefined) return undefined
      return {
        type: 'snapshot',
        key: decode(ShareSnapshotKey, 0, key.subarray(2)),
        value: read && {
          ...read,
          startOffset: Number(read.startOffset),
          batches: read.stateBatches.map(fromWire),
        },
      }
    }
    case shareRecordTypes.update: {
      const read = readValue(ShareUpdateValue, value)
      if (!read) return undefined
      return {
        type: 'update',
        key: decode(ShareUpdateKey, 0, key.subarray(2)),
        value: { ...read, startOffset: Number(read.startOffset), batches: read.stateBatches.map(fromWire) },
      }
    }
    default:
      return undefined
  }
}

/** A state batch as messages and records have it. */
export interface WireStateBatch {
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly deliveryState: number
  readonly deliveryCount: number
}

export function toWire({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
}: StateBatch): WireStateBatch {
  return { firstOffset: BigInt(firstOffset), lastOffset: BigInt(lastOffset), deliveryState, deliveryCount }
}

export function fromWire({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
}: WireStateBatch): StateBatch {
  return {
    firstOffset: offsetOf(firstOffset),
    lastOffset: offsetOf(lastOffset),
    deliveryState,
    deliveryCount,
  }
}
