import { prefixed, readValue } from '../coordination/records.ts'
import type { StateRecord } from '../coordination/state-topic.ts'
import { decode } from '../protocol/compile.ts'
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../protocol/messages/consumer-offsets-records.ts'
import type { Draft } from '../protocol/schema.ts'

/** The first two bytes of a key (CoordinatorRecordType of Kafka's group coordinator). */
export const recordTypes = { legacyOffsetCommit: 0, offsetCommit: 1, groupMetadata: 2 } as const

/** The value versions that Kafka 4.3 writes. An explicit expiry exists in version 1 alone. */
const offsetCommitVersion = 4
const expiringOffsetCommitVersion = 1
const groupMetadataVersion = 3

/** What a record of `__consumer_offsets` says. A value of null removes what its key names. */
export type CoordinatorRecord =
  | { readonly type: 'offsetCommit'; readonly key: OffsetCommitKey; readonly value: OffsetCommitValue | null }
  | {
      readonly type: 'groupMetadata'
      readonly key: GroupMetadataKey
      readonly value: GroupMetadataValue | null
    }

/** A committed offset; null removes it. `expireTimestamp` is -1 unless the commit asked for a retention (OffsetCommit v2-4). */
export function offsetCommit(
  key: OffsetCommitKey,
  value: Draft<typeof OffsetCommitValue> | null,
): StateRecord {
  const version = (value?.expireTimestamp ?? -1n) === -1n ? offsetCommitVersion : expiringOffsetCommitVersion
  return {
    key: prefixed(recordTypes.offsetCommit, OffsetCommitKey, 0, key),
    value: value && prefixed(version, OffsetCommitValue, version, value),
  }
}

/** A classic group; null removes it. */
export function groupMetadata(group: string, value: Draft<typeof GroupMetadataValue> | null): StateRecord {
  return {
    key: prefixed(recordTypes.groupMetadata, GroupMetadataKey, 0, { group }),
    value: value && prefixed(groupMetadataVersion, GroupMetadataValue, groupMetadataVersion, value),
  }
}

/**
 * Reads a record; `undefined` for a type that the coordinator does not keep, or a value of a version that does not
 * exist yet, which Kafka skips as well. Byte fields are views of the record's bytes.
 */
export function readRecord(key: Buffer, value: Buffer | null): CoordinatorRecord | undefined {
  switch (key.readInt16BE(0)) {
    case recordTypes.legacyOffsetCommit:
    case recordTypes.offsetCommit: {
      const read = readValue(OffsetCommitValue, value)
      return read === undefined
        ? undefined
        : { type: 'offsetCommit', key: decode(OffsetCommitKey, 0, key.subarray(2)), value: read }
    }
    case recordTypes.groupMetadata: {
      const read = readValue(GroupMetadataValue, value)
      return read === undefined
        ? undefined
        : { type: 'groupMetadata', key: decode(GroupMetadataKey, 0, key.subarray(2)), value: read }
    }
    default:
      return undefined
  }
}
