/** DescribeLogDirs, API key 35, versions 1-5. */
import { array, bool, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const DescribeLogDirsRequest = message(
  { versions: '1-5', flexible: '2+' },
  { topics: array(struct({ topic: string, partitions: array(int32) })).nullable() },
)
export type DescribeLogDirsRequest = Of<typeof DescribeLogDirsRequest>

export const DescribeLogDirsResponse = message(
  { versions: '1-5', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16.in('3+'),
    results: array(
      struct({
        errorCode: int16,
        logDir: string,
        topics: array(
          struct({
            name: string,
            partitions: array(
              struct({ partitionIndex: int32, partitionSize: int64, offsetLag: int64, isFutureKey: bool }),
            ),
          }),
        ),
        totalBytes: int64.in('4+').or(-1n),
        usableBytes: int64.in('4+').or(-1n),
        isCordoned: bool.in('5+').or(false),
      }),
    ),
  },
)
export type DescribeLogDirsResponse = Of<typeof DescribeLogDirsResponse>
