/**
 * Records of `__cluster_metadata`, the log in partition 0 from which everything else is found again. Each is a key and
 * a value; the newest value of a key counts and null takes it away, so that the log can be compacted. A key stands
 * behind its record type as int16, a value behind its version as int16, as in Kafka's own internal topics.
 */
import { decode } from '../protocol/compile.ts'
import { KafkaError } from '../protocol/errors.ts'
import {
  array,
  int32,
  int64,
  int8,
  message,
  string,
  struct,
  uint32,
  uuid,
  type Message,
  type Of,
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

/** What was set on a broker, on all brokers (no name) or on a group, whole: a change writes it anew. A topic keeps its own. */
export const ConfigsKey = message(head, { resourceType: int8, resourceName: string })
export const ConfigsValue = message(head, { configs: array(struct({ name: string, value: string })) })

/**
 * What is true of a VLSN topic besides: the eras of its partition counts, where its ordered view begins, and the newest gap that was
 * closed.
 */
export const VlsnKey = message(head, { topicId: uuid })
export const VlsnValue = message(head, {
  eras: array(struct({ firstVlsn: int64, partitionCount: int32 })),
  start: int64,
  closed: struct({ from: int64, to: int64 }),
})

/** The record types by their number on disk, which never changes. */
export const catalogRecords: Record<number, { key: Message; value: Message }> = {
  0: { key: ClusterKey, value: ClusterValue },
  1: { key: TopicKey, value: TopicValue },
  2: { key: LogStartKey, value: LogStartValue },
  3: { key: ConfigsKey, value: ConfigsValue },
  4: { key: VlsnKey, value: VlsnValue },
}

/** What a record says; a value of null takes away what its key names. */
export type CatalogStatement =
  | { readonly type: 'cluster'; readonly value: Of<typeof ClusterValue> }
  | { readonly type: 'topic'; readonly topicId: string; readonly value: Of<typeof TopicValue> | null }
  | {
      readonly type: 'logStart'
      readonly partitionId: number
      readonly value: Of<typeof LogStartValue> | null
    }
  | {
      readonly type: 'configs'
      readonly resource: Of<typeof ConfigsKey>
      readonly value: Of<typeof ConfigsValue> | null
    }
  | { readonly type: 'vlsn'; readonly topicId: string; readonly value: Of<typeof VlsnValue> | null }

export const recordVersion = 0
export const prefixLength = 2

/** Reads a record. Throws KAFKA_STORAGE_ERROR for a type that does not exist, MalformedError for bytes that are none. */
export function readCatalogRecord(key: Buffer, value: Buffer | null): CatalogStatement {
  const type = key.readInt16BE(0)
  if (type === 0) return { type: 'cluster', value: read(ClusterValue, value!) }
  if (type === 1) {
    return { type: 'topic', topicId: read(TopicKey, key).topicId, value: value && read(TopicValue, value) }
  }
  if (type === 2) {
    const { partitionId } = read(LogStartKey, key)
    return { type: 'logStart', partitionId, value: value && read(LogStartValue, value) }
  }
  if (type === 3) {
    return { type: 'configs', resource: read(ConfigsKey, key), value: value && read(ConfigsValue, value) }
  }
  if (type === 4) {
    return { type: 'vlsn', topicId: read(VlsnKey, key).topicId, value: value && read(VlsnValue, value) }
  }
  throw new KafkaError('KAFKA_STORAGE_ERROR', `a metadata record of unknown type ${type}`)
}

function read<M extends Message>(table: M, bytes: Buffer): Of<M> {
  return decode(table, recordVersion, bytes.subarray(prefixLength))
}
