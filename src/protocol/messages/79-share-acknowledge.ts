/** ShareAcknowledge, API key 79, versions 1-2. */
import { array, bool, int16, int32, int64, int8, string, struct, uuid, message, type Of } from '../schema.ts'

export const ShareAcknowledgeRequest = message(
  { versions: '1-2', flexible: '0+' },
  {
    groupId: string.nullable().or(null),
    memberId: string.nullable(),
    shareSessionEpoch: int32,
    isRenewAck: bool.in('2+').or(false),
    topics: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({
            partitionIndex: int32,
            acknowledgementBatches: array(
              struct({ firstOffset: int64, lastOffset: int64, acknowledgeTypes: array(int8) }),
            ),
          }),
        ),
      }),
    ),
  },
)
export type ShareAcknowledgeRequest = Of<typeof ShareAcknowledgeRequest>

export const ShareAcknowledgeResponse = message(
  { versions: '1-2', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    acquisitionLockTimeoutMs: int32.in('2+'),
    responses: array(
      struct({
        topicId: uuid,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            errorMessage: string.nullable().or(null),
            currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({ nodeId: int32, host: string, port: int32, rack: string.nullable().or(null) }),
    ),
  },
)
export type ShareAcknowledgeResponse = Of<typeof ShareAcknowledgeResponse>
