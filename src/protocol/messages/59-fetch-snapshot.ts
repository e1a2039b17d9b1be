/** FetchSnapshot, API key 59, versions 0-1. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import {
  array,
  int16,
  int32,
  int64,
  records,
  string,
  struct,
  uint16,
  uuid,
  message,
  type Of,
} from '../schema.ts'

export const FetchSnapshotRequest = message(
  { versions: '0-1', flexible: '0+' },
  {
    clusterId: string.nullable().or(null).tag(0, '0+'),
    replicaId: int32.or(-1),
    maxBytes: int32.or(2147483647),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partition: int32,
            currentLeaderEpoch: int32,
            snapshotId: struct({ endOffset: int64, epoch: int32 }),
            position: int64,
            replicaDirectoryId: uuid.tag(0, '1+'),
          }),
        ),
      }),
    ),
  },
)
export type FetchSnapshotRequest = Of<typeof FetchSnapshotRequest>

export const FetchSnapshotResponse = message(
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            errorCode: int16,
            snapshotId: struct({ endOffset: int64, epoch: int32 }),
            currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }).tag(0, '0+'),
            size: int64,
            position: int64,
            unalignedRecords: records,
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({ nodeId: int32.in('1+'), host: string.in('1+'), port: uint16.in('1+') }),
    ).tag(0, '1+'),
  },
)
export type FetchSnapshotResponse = Of<typeof FetchSnapshotResponse>
