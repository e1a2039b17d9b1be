/** Records of __share_group_state. A key stands behind its record type as int16 (0 ShareSnapshot, 1 ShareUpdate), a value behind its version as int16. */
import { array, int16, int32, int64, int8, string, struct, uuid, message, type Of } from '../schema.ts'

export const ShareSnapshotKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, topicId: uuid, partition: int32 },
)
export type ShareSnapshotKey = Of<typeof ShareSnapshotKey>

export const ShareSnapshotValue = message(
  { versions: '0', flexible: '0+' },
  {
    snapshotEpoch: int32,
    stateEpoch: int32,
    leaderEpoch: int32,
    startOffset: int64,
    deliveryCompleteCount: int32.or(-1).tag(0, '0+'),
    createTimestamp: int64,
    writeTimestamp: int64,
    stateBatches: array(
      struct({ firstOffset: int64, lastOffset: int64, deliveryState: int8, deliveryCount: int16 }),
    ),
  },
)
export type ShareSnapshotValue = Of<typeof ShareSnapshotValue>

export const ShareUpdateKey = message(
  { versions: '0', flexible: 'none' },
  { groupId: string, topicId: uuid, partition: int32 },
)
export type ShareUpdateKey = Of<typeof ShareUpdateKey>

export const ShareUpdateValue = message(
  { versions: '0', flexible: '0+' },
  {
    snapshotEpoch: int32,
    leaderEpoch: int32,
    startOffset: int64,
    deliveryCompleteCount: int32.or(-1).tag(0, '0+'),
    stateBatches: array(
      struct({ firstOffset: int64, lastOffset: int64, deliveryState: int8, deliveryCount: int16 }),
    ),
  },
)
export type ShareUpdateValue = Of<typeof ShareUpdateValue>
