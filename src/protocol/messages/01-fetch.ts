/** Fetch, API key 1, versions 4-18. */
import {
  array,
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

export const FetchRequest = message(
  { versions: '4-18', flexible: '12+' },
  {
    clusterId: string.nullable().or(null).tag(0, '12+'),
    replicaId: int32.in('0-14').or(-1),
    replicaState: struct({ replicaId: int32.in('15+').or(-1), replicaEpoch: int64.in('15+').or(-1n) }).tag(
      1,
      '15+',
    ),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.or(2147483647),
    isolationLevel: int8.or(0),
    sessionId: int32.in('7+').or(0),
    sessionEpoch: int32.in('7+').or(-1),
    topics: array(
      struct({
        topic: string.in('0-12'),
        topicId: uuid.in('13+'),
        partitions: array(
          struct({
            partition: int32,
            currentLeaderEpoch: int32.in('9+').or(-1),
            fetchOffset: int64,
            lastFetchedEpoch: int32.in('12+').or(-1),
            logStartOffset: int64.in('5+').or(-1n),
            partitionMaxBytes: int32,
            replicaDirectoryId: uuid.tag(0, '17+'),
            highWatermark: int64.or(9223372036854775807n).tag(1, '18+'),
          }),
        ),
      }),
    ),
    forgottenTopicsData: array(
      struct({ topic: string.in('7-12'), topicId: uuid.in('13+'), partitions: array(int32).in('7+') }),
    ).in('7+'),
    rackId: string.in('11+').or(''),
  },
)
export type FetchRequest = Of<typeof FetchRequest>

export const FetchResponse = message(
  { versions: '4-18', flexible: '12+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16.in('7+'),
    sessionId: int32.in('7+').or(0),
    responses: array(
      struct({
        topic: string.in('0-12'),
        topicId: uuid.in('13+'),
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            highWatermark: int64,
            lastStableOffset: int64.or(-1n),
            logStartOffset: int64.in('5+').or(-1n),
            divergingEpoch: struct({ epoch: int32.in('12+').or(-1), endOffset: int64.in('12+').or(-1n) }).tag(
              0,
              '12+',
            ),
            currentLeader: struct({
              leaderId: int32.in('12+').or(-1),
              leaderEpoch: int32.in('12+').or(-1),
            }).tag(1, '12+'),
            snapshotId: struct({ endOffset: int64.or(-1n), epoch: int32.or(-1) }).tag(2, '12+'),
            abortedTransactions: array(struct({ producerId: int64, firstOffset: int64 })).nullable(),
            preferredReadReplica: int32.in('11+').or(-1),
            records: records,
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32.in('16+'),
        host: string.in('16+'),
        port: int32.in('16+'),
        rack: string.nullable().in('16+').or(null),
      }),
    ).tag(0, '16+'),
  },
)
export type FetchResponse = Of<typeof FetchResponse>
