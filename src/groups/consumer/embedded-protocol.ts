import { codec } from '../../protocol/compile.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../protocol/messages/consumer-protocol.ts'
import { prefixed } from '../../coordination/records.ts'
import { MalformedError, Reader } from '../../protocol/reader.ts'
import type { Message, Of } from '../../protocol/schema.ts'
import type { TopicLookup } from '../topic-lookup.ts'
import type { TopicPartitions } from '../modern/topic-partitions.ts'

/** What members of the classic protocol tell each other (ConsumerProtocol), each behind its version. */

/** The newest version that is known; later ones only add to it. */
const versionMax = 3

/** What a member reads; undefined where it cannot be read. */
export function subscriptionOf(metadata: Buffer): ConsumerProtocolSubscription | undefined {
  return read(ConsumerProtocolSubscription, metadata)
}

/** What a leader has assigned; undefined where it cannot be read. No bytes are no assignment. */
export function assignmentOf(bytes: Buffer): ConsumerProtocolAssignment | undefined {
  return bytes.length === 0
    ? { assignedPartitions: [], userData: null }
    : read(ConsumerProtocolAssignment, bytes)
}

/** An assignment in the version that the member's `metadata` has. Topics that are gone are left out. */
export function assignmentBytes(
  partitions: TopicPartitions,
  lookup: TopicLookup,
  metadata: Buffer | undefined,
): Buffer {
  const version = metadata && metadata.length >= 2 ? Math.min(metadata.readInt16BE(0), versionMax) : 0
  const assignedPartitions = []
  for (const [topicId, of] of partitions) {
    const topic = lookup.topicName(topicId)
    if (topic !== undefined)
      assignedPartitions.push({ topic, partitions: [...of.keys()].sort((a, b) => a - b) })
  }
  return prefixed(version, ConsumerProtocolAssignment, version, { assignedPartitions })
}

/** Partitions by topic id; those of topics and partitions that are not there are left out. */
export function partitionsByName(
  list: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  lookup: TopicLookup,
): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>()
  for (const { topic, partitions } of list) {
    const id = lookup.topicId(topic)
    const count = lookup.partitionCount(topic) ?? 0
    const there = partitions.filter(partition => partition >= 0 && partition < count)
    if (id !== undefined && there.length > 0) found.set(id, new Set([...(found.get(id) ?? []), ...there]))
  }
  return found
}

function read<M extends Message>(message: M, bytes: Buffer): Of<M> | undefined {
  const reader = new Reader(bytes)
  try {
    const version = reader.int16()
    return version < 0 ? undefined : codec(message, Math.min(version, versionMax)).decode(reader)
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}
