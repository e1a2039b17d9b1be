/** DescribeAcls, API key 29, versions 1-3. */
import { array, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const DescribeAclsRequest = message(
  { versions: '1-3', flexible: '2+' },
  {
    resourceTypeFilter: int8,
    resourceNameFilter: string.nullable(),
    patternTypeFilter: int8.or(3),
    principalFilter: string.nullable(),
    hostFilter: string.nullable(),
    operation: int8,
    permissionType: int8,
  },
)
export type DescribeAclsRequest = Of<typeof DescribeAclsRequest>

export const DescribeAclsResponse = message(
  { versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    resources: array(
      struct({
        resourceType: int8,
        resourceName: string,
        patternType: int8.or(3),
        acls: array(struct({ principal: string, host: string, operation: int8, permissionType: int8 })),
      }),
    ),
  },
)
export type DescribeAclsResponse = Of<typeof DescribeAclsResponse>
