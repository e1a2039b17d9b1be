/** ShareFetch, API key 78, versions 1-2. */
import {
  array,
  bool,
  int16,
  int32,
  int64,
  int8,
  records,
  string,
  struct,
  uuid,
  message,
  type Of,
} from '../schema.ts'

export const ShareFetchRequest = message(
  { versions: '1-2', flexible: '0+' },
  {
    groupId: string.nullable().or(null),
    memberId: string.nullable(),
    shareSessionEpoch: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.or(2147483647),
    maxRecords: int32,
    batchSize: int32,
    shareAcquireMode: int8.in('2+').or(0),
    isRenewAck: bool.in('2+').or(false),
    topics: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({
            partitionIndex: int32,
            partitionMaxBytes: int32.in('0'),
            acknowledgementBatches: array(
              struct({ firstOffset: int64, lastOffset: int64, acknowledgeTypes: array(int8) }),
            ),
          }),
        ),
      }),
    ),
    forgottenTopicsData: array(struct({ topicId: uuid, partitions: array(int32) })),
  },
)
export type ShareFetchRequest = Of<typeof ShareFetchRequest>

export const ShareFetchResponse = message(
  { versions: '1-2', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    acquisitionLockTimeoutMs: int32,
    responses: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            errorMessage: string.nullable().or(null),
            acknowledgeErrorCode: int16,
            acknowledgeErrorMessage: string.nullable().or(null),
            currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
            records: records,
            acquiredRecords: array(struct({ firstOffset: int64, lastOffset: int64, deliveryCount: int16 })),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({ nodeId: int32, host: string, port: int32, rack: string.nullable().or(null) }),
    ),
  },
)
export type ShareFetchResponse = Of<typeof ShareFetchResponse>
