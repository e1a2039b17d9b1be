/**
 * Records of `__cluster_metadata`, the log in partition 0 from which everything else is found again. Each is a key and
 * a value; the newest value of a key counts and null takes it away, so that the log can be compacted. A key stands
 * behind its record type as int16, a value behind its version as int16, as in Kafka's own internal topics.
 */
import {
  array,
  int32,
  int64,
  message,
  string,
  struct,
  uint32,
  uuid,
  type Message,
} from '../protocol/schema.ts'

const head = { versions: '0', flexible: '0+' }

/** What is true of the whole cluster. `partitionIdNext` only rises, since the log may still hold a dropped partition's entries. */
export const ClusterKey = message(head, {})
export const ClusterValue = message(head, { clusterId: string, partitionIdNext: uint32 })

/** One topic, whole: a change writes it anew. `createdAt` is the broker's start count, from which leader epochs rise. */
export const TopicKey = message(head, { topicId: uuid })
export const TopicValue = message(head, {
  name: string,
  partitions: array(struct({ id: uint32, shard: int32, createdAt: int32 })),
  configs: array(struct({ name: string, value: string })),
})

/** Where a partition begins after DeleteRecords. */
export const LogStartKey = message(head, { partitionId: uint32 })
export const LogStartValue = message(head, { offset: int64 })

/** The record types by their number on disk, which never changes. */
export const catalogRecords: Record<number, { key: Message; value: Message }> = {
  0: { key: ClusterKey, value: ClusterValue },
  1: { key: TopicKey, value: TopicValue },
  2: { key: LogStartKey, value: LogStartValue },
}
