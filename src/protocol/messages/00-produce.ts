/** Produce, API key 0, versions 3-13. */
import { array, int16, int32, int64, records, string, struct, uuid, message, type Of } from '../schema.ts'

export const ProduceRequest = message(
  { versions: '3-13', flexible: '9+' },
  {
    transactionalId: string.nullable().or(null),
    acks: int16,
    timeoutMs: int32,
    topicData: array(
      struct({
        name: string.in('0-12'),
        topicId: uuid.in('13+'),
        partitionData: array(struct({ index: int32, records: records })),
      }),
    ),
  },
)
export type ProduceRequest = Of<typeof ProduceRequest>

export const ProduceResponse = message(
  { versions: '3-13', flexible: '9+' },
  {
    responses: array(
      struct({
        name: string.in('0-12'),
        topicId: uuid.in('13+'),
        partitionResponses: array(
          struct({
            index: int32,
            errorCode: int16,
            baseOffset: int64,
            logAppendTimeMs: int64.or(-1n),
            logStartOffset: int64.in('5+').or(-1n),
            recordErrors: array(
              struct({
                batchIndex: int32.in('8+'),
                batchIndexErrorMessage: string.nullable().in('8+').or(null),
              }),
            ).in('8+'),
            errorMessage: string.nullable().in('8+').or(null),
            currentLeader: struct({
              leaderId: int32.in('10+').or(-1),
              leaderEpoch: int32.in('10+').or(-1),
            }).tag(0, '10+'),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32.or(0),
    nodeEndpoints: array(
      struct({
        nodeId: int32.in('10+'),
        host: string.in('10+'),
        port: int32.in('10+'),
        rack: string.nullable().in('10+').or(null),
      }),
    ).tag(0, '10+'),
  },
)
export type ProduceResponse = Of<typeof ProduceResponse>
