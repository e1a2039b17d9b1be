/** OffsetCommit, API key 8, versions 2-10. */
import { array, int16, int32, int64, string, struct, uuid, message, type Of } from '../schema.ts'

export const OffsetCommitRequest = message(
  { versions: '2-10', flexible: '8+' },
  {
    groupId: string,
    generationIdOrMemberEpoch: int32.or(-1),
    memberId: string,
    groupInstanceId: string.nullable().in('7+').or(null),
    retentionTimeMs: int64.in('2-4').or(-1n),
    topics: array(
      struct({
        name: string.in('0-9'),
        topicId: uuid.in('10+'),
        partitions: array(
          struct({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: int32.in('6+').or(-1),
            committedMetadata: string.nullable(),
          }),
        ),
      }),
    ),
  },
)
export type OffsetCommitRequest = Of<typeof OffsetCommitRequest>

export const OffsetCommitResponse = message(
  { versions: '2-10', flexible: '8+' },
  {
    throttleTimeMs: int32.in('3+').or(0),
    topics: array(
      struct({
        name: string.in('0-9'),
        topicId: uuid.in('10+'),
        partitions: array(struct({ partitionIndex: int32, errorCode: int16 })),
      }),
    ),
  },
)
export type OffsetCommitResponse = Of<typeof OffsetCommitResponse>
