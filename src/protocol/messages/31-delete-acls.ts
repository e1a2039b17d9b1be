/** DeleteAcls, API key 31, versions 1-3. */
import { array, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const DeleteAclsRequest = message(
  { versions: '1-3', flexible: '2+' },
  {
    filters: array(
      struct({
        resourceTypeFilter: int8,
        resourceNameFilter: string.nullable(),
        patternTypeFilter: int8.or(3),
        principalFilter: string.nullable(),
        hostFilter: string.nullable(),
        operation: int8,
        permissionType: int8,
      }),
    ),
  },
)
export type DeleteAclsRequest = Of<typeof DeleteAclsRequest>

export const DeleteAclsResponse = message(
  { versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    filterResults: array(
      struct({
        errorCode: int16,
        errorMessage: string.nullable(),
        matchingAcls: array(
          struct({
            errorCode: int16,
            errorMessage: string.nullable(),
            resourceType: int8,
            resourceName: string,
            patternType: int8.or(3),
            principal: string,
            host: string,
            operation: int8,
            permissionType: int8,
          }),
        ),
      }),
    ),
  },
)
export type DeleteAclsResponse = Of<typeof DeleteAclsResponse>
