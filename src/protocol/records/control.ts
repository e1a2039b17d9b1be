import type { Batch } from './batch.ts'
import { RecordsError } from './errors.ts'
import { buildBatch, readRecords } from './record.ts'

/** The types of control records by the number in their key (ControlRecordType). */
export const controlTypes = [
  'ABORT',
  'COMMIT',
  'LEADER_CHANGE',
  'SNAPSHOT_HEADER',
  'SNAPSHOT_FOOTER',
  'KRAFT_VERSION',
  'KRAFT_VOTERS',
] as const
export type ControlType = (typeof controlTypes)[number] | 'UNKNOWN'

export interface ControlRecord {
  readonly type: ControlType
  readonly typeId: number
  /** The epoch of the coordinator that wrote a transaction's marker; absent in other types. */
  readonly coordinatorEpoch?: number
}

/** The control record in `key` and `value`: key is version and type, an EndTxnMarker is version and epoch. */
export function readControl(record: {
  readonly key: Buffer | null
  readonly value: Buffer | null
}): ControlRecord {
  const { key, value } = record
  if (!key || key.length < 4) throw new RecordsError('INVALID_RECORD', 'A control record has no whole key')
  const version = key.readInt16BE(0)
  if (version < 0) throw new RecordsError('INVALID_RECORD', `A control record's key has version ${version}`)
  const typeId = key.readInt16BE(2)
  const type = controlTypes[typeId] ?? 'UNKNOWN'
  if (type !== 'COMMIT' && type !== 'ABORT') return { type, typeId }
  if (!value || value.length < 6)
    throw new RecordsError('INVALID_RECORD', `A ${type} marker has no whole value`)
  if (value.readInt16BE(0) < 0)
    throw new RecordsError('INVALID_RECORD', `A ${type} marker has a negative version`)
  return { type, typeId, coordinatorEpoch: value.readInt32BE(2) }
}

/** What a control batch says; it holds one record. `null` for what compaction left empty. */
export function readControlBatch(batch: Batch): ControlRecord | null {
  for (const record of readRecords(batch)) return readControl(record)
  return null
}

/** How a transaction ended, and the epoch of the coordinator that says so. */
export interface Marker {
  readonly type: 'ABORT' | 'COMMIT'
  readonly coordinatorEpoch: number
}

/** The marker in a control batch; undefined where it holds another control record, none, or one that is not sound. */
export function readMarker(batch: Batch): Marker | undefined {
  try {
    const control = readControlBatch(batch)
    if (control?.type !== 'COMMIT' && control?.type !== 'ABORT') return undefined
    return { type: control.type, coordinatorEpoch: control.coordinatorEpoch! }
  } catch (error) {
    if (error instanceof RecordsError) return undefined
    throw error
  }
}

/** What `buildMarker` writes. */
export interface MarkerDraft {
  readonly type: 'ABORT' | 'COMMIT'
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  /** When the transaction ended, in milliseconds since 1970. */
  readonly timestamp: bigint
  readonly baseOffset?: bigint
  readonly leaderEpoch?: number
}

/** The control batch that ends a transaction in one partition (MemoryRecords.withEndTransactionMarker). */
export function buildMarker({ type, coordinatorEpoch, timestamp, ...header }: MarkerDraft): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(controlTypes.indexOf(type), 2)
  const value = Buffer.alloc(6)
  value.writeInt32BE(coordinatorEpoch, 2)
  return buildBatch({
    ...header,
    isTransactional: true,
    isControl: true,
    records: [{ timestamp, key, value }],
  })
}
