/** DescribeGroups, API key 15, versions 0-6. */
import { array, bool, bytes, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const DescribeGroupsRequest = message(
  { versions: '0-6', flexible: '5+' },
  { groups: array(string), includeAuthorizedOperations: bool.in('3+') },
)
export type DescribeGroupsRequest = Of<typeof DescribeGroupsRequest>

export const DescribeGroupsResponse = message(
  { versions: '0-6', flexible: '5+' },
  {
    throttleTimeMs: int32.in('1+').or(0),
    groups: array(
      struct({
        errorCode: int16,
        errorMessage: string.nullable().in('6+').or(null),
        groupId: string,
        groupState: string,
        protocolType: string,
        protocolData: string,
        members: array(
          struct({
            memberId: string,
            groupInstanceId: string.nullable().in('4+').or(null),
            clientId: string,
            clientHost: string,
            memberMetadata: bytes,
            memberAssignment: bytes,
          }),
        ),
        authorizedOperations: int32.in('3+').or(-2147483648),
      }),
    ),
  },
)
export type DescribeGroupsResponse = Of<typeof DescribeGroupsResponse>
