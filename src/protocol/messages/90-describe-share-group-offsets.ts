/** DescribeShareGroupOffsets, API key 90, versions 0-1. */
import { array, int16, int32, int64, string, struct, uuid, message, type Of } from '../schema.ts'

export const DescribeShareGroupOffsetsRequest = message(
  { versions: '0-1', flexible: '0+' },
  {
    groups: array(
      struct({
        groupId: string,
        topics: array(struct({ topicName: string, partitions: array(int32) })).nullable(),
      }),
    ),
  },
)
export type DescribeShareGroupOffsetsRequest = Of<typeof DescribeShareGroupOffsetsRequest>

export const DescribeShareGroupOffsetsResponse = message(
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    groups: array(
      struct({
        groupId: string,
        topics: array(
          struct({
            topicName: string,
            topicId: uuid,
            partitions: array(
              struct({
                partitionIndex: int32,
                startOffset: int64,
                leaderEpoch: int32,
                lag: int64.in('1+').or(-1n),
                errorCode: int16,
                errorMessage: string.nullable().or(null),
              }),
            ),
          }),
        ),
        errorCode: int16,
        errorMessage: string.nullable().or(null),
      }),
    ),
  },
)
export type DescribeShareGroupOffsetsResponse = Of<typeof DescribeShareGroupOffsetsResponse>
