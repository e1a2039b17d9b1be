/** DescribeCluster, API key 60, versions 0-2. */
import { array, bool, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const DescribeClusterRequest = message(
  { versions: '0-2', flexible: '0+' },
  {
    includeClusterAuthorizedOperations: bool,
    endpointType: int8.in('1+').or(1),
    includeFencedBrokers: bool.in('2+'),
  },
)
export type DescribeClusterRequest = Of<typeof DescribeClusterRequest>

export const DescribeClusterResponse = message(
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    endpointType: int8.in('1+').or(1),
    clusterId: string,
    controllerId: int32.or(-1),
    brokers: array(
      struct({
        brokerId: int32,
        host: string,
        port: int32,
        rack: string.nullable().or(null),
        isFenced: bool.in('2+'),
      }),
    ),
    clusterAuthorizedOperations: int32.or(-2147483648),
  },
)
export type DescribeClusterResponse = Of<typeof DescribeClusterResponse>
