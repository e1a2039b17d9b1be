/** OffsetFetch, API key 9, versions 1-10. */
import { array, bool, int16, int32, int64, string, struct, uuid, message, type Of } from '../schema.ts'

export const OffsetFetchRequest = message(
  { versions: '1-10', flexible: '6+' },
  {
    groupId: string.in('0-7'),
    topics: array(struct({ name: string.in('0-7'), partitionIndexes: array(int32).in('0-7') }))
      .nullable('2-7')
      .in('0-7'),
    groups: array(
      struct({
        groupId: string.in('8+'),
        memberId: string.nullable().in('9+').or(null),
        memberEpoch: int32.in('9+').or(-1),
        topics: array(
          struct({
            name: string.in('8-9'),
            topicId: uuid.in('10+'),
            partitionIndexes: array(int32).in('8+'),
          }),
        )
          .nullable()
          .in('8+'),
      }),
    ).in('8+'),
    requireStable: bool.in('7+').or(false),
  },
)
export type OffsetFetchRequest = Of<typeof OffsetFetchRequest>

export const OffsetFetchResponse = message(
  { versions: '1-10', flexible: '6+' },
  {
    throttleTimeMs: int32.in('3+').or(0),
    topics: array(
      struct({
        name: string.in('0-7'),
        partitions: array(
          struct({
            partitionIndex: int32.in('0-7'),
            committedOffset: int64.in('0-7'),
            committedLeaderEpoch: int32.in('5-7').or(-1),
            metadata: string.nullable().in('0-7'),
            errorCode: int16.in('0-7'),
          }),
        ).in('0-7'),
      }),
    ).in('0-7'),
    errorCode: int16.in('2-7').or(0),
    groups: array(
      struct({
        groupId: string.in('8+'),
        topics: array(
          struct({
            name: string.in('8-9'),
            topicId: uuid.in('10+'),
            partitions: array(
              struct({
                partitionIndex: int32.in('8+'),
                committedOffset: int64.in('8+'),
                committedLeaderEpoch: int32.in('8+').or(-1),
                metadata: string.nullable().in('8+'),
                errorCode: int16.in('8+'),
              }),
            ).in('8+'),
          }),
        ).in('8+'),
        errorCode: int16.in('8+').or(0),
      }),
    ).in('8+'),
  },
)
export type OffsetFetchResponse = Of<typeof OffsetFetchResponse>
