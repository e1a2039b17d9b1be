import { prefixed, readValue } from '../coordination/records.ts'
import type { StateRecord } from '../coordination/state-topic.ts'
import { decode } from '../protocol/compile.ts'
import * as messages from '../protocol/messages/consumer-offsets-records.ts'
import type { OffsetCommitKey, OffsetCommitValue } from '../protocol/messages/consumer-offsets-records.ts'
import type { Draft, Of } from '../protocol/schema.ts'

/**
 * The records of `__consumer_offsets` (CoordinatorRecordType of Kafka's group coordinator): the first two bytes of the
 * key, its table, the value's, and the value version that Kafka 4.3 writes.
 */
export const recordKinds = {
  offsetCommit: {
    type: 1,
    key: messages.OffsetCommitKey,
    value: messages.OffsetCommitValue,
    version: 4,
  },
  groupMetadata: {
    type: 2,
    key: messages.GroupMetadataKey,
    value: messages.GroupMetadataValue,
    version: 3,
  },
  consumerGroupMetadata: {
    type: 3,
    key: messages.ConsumerGroupMetadataKey,
    value: messages.ConsumerGroupMetadataValue,
    version: 0,
  },
  consumerGroupMemberMetadata: {
    type: 5,
    key: messages.ConsumerGroupMemberMetadataKey,
    value: messages.ConsumerGroupMemberMetadataValue,
    version: 0,
  },
  consumerGroupTargetAssignmentMetadata: {
    type: 6,
    key: messages.ConsumerGroupTargetAssignmentMetadataKey,
    value: messages.ConsumerGroupTargetAssignmentMetadataValue,
    version: 0,
  },
  consumerGroupTargetAssignmentMember: {
    type: 7,
    key: messages.ConsumerGroupTargetAssignmentMemberKey,
    value: messages.ConsumerGroupTargetAssignmentMemberValue,
    version: 0,
  },
  consumerGroupCurrentMemberAssignment: {
    type: 8,
    key: messages.ConsumerGroupCurrentMemberAssignmentKey,
    value: messages.ConsumerGroupCurrentMemberAssignmentValue,
    version: 0,
  },
  shareGroupMemberMetadata: {
    type: 10,
    key: messages.ShareGroupMemberMetadataKey,
    value: messages.ShareGroupMemberMetadataValue,
    version: 0,
  },
  shareGroupMetadata: {
    type: 11,
    key: messages.ShareGroupMetadataKey,
    value: messages.ShareGroupMetadataValue,
    version: 0,
  },
  shareGroupTargetAssignmentMetadata: {
    type: 12,
    key: messages.ShareGroupTargetAssignmentMetadataKey,
    value: messages.ShareGroupTargetAssignmentMetadataValue,
    version: 0,
  },
  shareGroupTargetAssignmentMember: {
    type: 13,
    key: messages.ShareGroupTargetAssignmentMemberKey,
    value: messages.ShareGroupTargetAssignmentMemberValue,
    version: 0,
  },
  shareGroupCurrentMemberAssignment: {
    type: 14,
    key: messages.ShareGroupCurrentMemberAssignmentKey,
    value: messages.ShareGroupCurrentMemberAssignmentValue,
    version: 0,
  },
  shareGroupStatePartitionMetadata: {
    type: 15,
    key: messages.ShareGroupStatePartitionMetadataKey,
    value: messages.ShareGroupStatePartitionMetadataValue,
    version: 0,
  },
  consumerGroupRegularExpression: {
    type: 16,
    key: messages.ConsumerGroupRegularExpressionKey,
    value: messages.ConsumerGroupRegularExpressionValue,
    version: 0,
  },
  streamsGroupMetadata: {
    type: 17,
    key: messages.StreamsGroupMetadataKey,
    value: messages.StreamsGroupMetadataValue,
    version: 0,
  },
  streamsGroupMemberMetadata: {
    type: 19,
    key: messages.StreamsGroupMemberMetadataKey,
    value: messages.StreamsGroupMemberMetadataValue,
    version: 0,
  },
  streamsGroupTargetAssignmentMetadata: {
    type: 20,
    key: messages.StreamsGroupTargetAssignmentMetadataKey,
    value: messages.StreamsGroupTargetAssignmentMetadataValue,
    version: 0,
  },
  streamsGroupTargetAssignmentMember: {
    type: 21,
    key: messages.StreamsGroupTargetAssignmentMemberKey,
    value: messages.StreamsGroupTargetAssignmentMemberValue,
    version: 0,
  },
  streamsGroupCurrentMemberAssignment: {
    type: 22,
    key: messages.StreamsGroupCurrentMemberAssignmentKey,
    value: messages.StreamsGroupCurrentMemberAssignmentValue,
    version: 0,
  },
  streamsGroupTopology: {
    type: 23,
    key: messages.StreamsGroupTopologyKey,
    value: messages.StreamsGroupTopologyValue,
    version: 0,
  },
} as const

type Kinds = typeof recordKinds
export type RecordName = keyof Kinds

/** What a record of `__consumer_offsets` says. A value of null removes what its key names. */
export type CoordinatorRecord = {
  readonly [Name in RecordName]: {
    readonly type: Name
    readonly key: Of<Kinds[Name]['key']>
    readonly value: Of<Kinds[Name]['value']> | null
  }
}[RecordName]

/** A committed offset kept by Kafka before 0.9 in the same words, of which only the type's number differs. */
const legacyOffsetCommitType = 0

const namesByType = new Map<number, RecordName>([
  [legacyOffsetCommitType, 'offsetCommit'],
  ...Object.entries(recordKinds).map(([name, { type }]) => [type, name as RecordName] as const),
])

/** A record as Kafka 4.3 writes it; a value of null removes what the key names. */
export function groupRecord<Name extends RecordName>(
  name: Name,
  key: Draft<Kinds[Name]['key']>,
  value: Draft<Kinds[Name]['value']> | null,
): StateRecord {
  const kind: Kinds[RecordName] = recordKinds[name]
  return {
    key: prefixed(kind.type, kind.key, 0, key as never),
    value: value && prefixed(kind.version, kind.value, kind.version, value as never),
  }
}

/** An explicit expiry exists in version 1 alone. */
const expiringOffsetCommitVersion = 1

/** A committed offset; null removes it. `expireTimestamp` is -1 unless the commit asked for a retention (OffsetCommit v2-4). */
export function offsetCommit(
  key: OffsetCommitKey,
  value: Draft<typeof OffsetCommitValue> | null,
): StateRecord {
  const record = groupRecord('offsetCommit', key, value)
  if ((value?.expireTimestamp ?? -1n) === -1n) return record
  const version = expiringOffsetCommitVersion
  return { key: record.key, value: prefixed(version, messages.OffsetCommitValue, version, value!) }
}

/** A classic group; null removes it. */
export function groupMetadata(
  group: string,
  value: Draft<typeof messages.GroupMetadataValue> | null,
): StateRecord {
  return groupRecord('groupMetadata', { group }, value)
}

/**
 * Reads a record; `undefined` for a type that the coordinator does not keep, or a value of a version that does not
 * exist yet, which Kafka skips as well. Byte fields are views of the record's bytes.
 */
export function readRecord(key: Buffer, value: Buffer | null): CoordinatorRecord | undefined {
  const type = namesByType.get(key.readInt16BE(0))
  if (type === undefined) return undefined
  const kind = recordKinds[type]
  const read = readValue(kind.value, value)
  if (read === undefined) return undefined
  return { type, key: decode(kind.key, 0, key.subarray(2)), value: read } as CoordinatorRecord
}
