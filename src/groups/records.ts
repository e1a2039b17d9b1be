import { decode, encode } from '../protocol/compile.ts'
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../protocol/messages/consumer-offsets-records.ts'
import { includes, type Draft, type Message, type Of } from '../protocol/schema.ts'
import type { OffsetsRecord } from './offsets-topic.ts'

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
): OffsetsRecord {
  const version = (value?.expireTimestamp ?? -1n) === -1n ? offsetCommitVersion : expiringOffsetCommitVersion
  return {
    key: versioned(recordTypes.offsetCommit, OffsetCommitKey, 0, key),
    value: value && versioned(version, OffsetCommitValue, version, value),
  }
}

/** A classic group; null removes it. */
export function groupMetadata(group: string, value: Draft<typeof GroupMetadataValue> | null): OffsetsRecord {
  return {
    key: versioned(recordTypes.groupMetadata, GroupMetadataKey, 0, { group }),
    value: value && versioned(groupMetadataVersion, GroupMetadataValue, groupMetadataVersion, value),
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

function readValue<M extends Message>(message: M, value: Buffer | null): Of<M> | null | undefined {
  if (value === null) return null
  const version = value.readInt16BE(0)
  return includes(message.versions, version) ? decode(message, version, value.subarray(2)) : undefined
}

function versioned<M extends Message>(prefix: number, message: M, version: number, value: Draft<M>): Buffer {
  const body = encode(message, version, value)
  const bytes = Buffer.allocUnsafe(2 + body.length)
  bytes.writeInt16BE(prefix, 0)
  body.copy(bytes, 2)
  return bytes
}
