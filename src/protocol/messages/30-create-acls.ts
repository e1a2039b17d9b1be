/** CreateAcls, API key 30, versions 1-3. */
import { array, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const CreateAclsRequest = message(
  { versions: '1-3', flexible: '2+' },
  {
    creations: array(
      struct({
        resourceType: int8,
        resourceName: string,
        resourcePatternType: int8.or(3),
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    ),
  },
)
export type CreateAclsRequest = Of<typeof CreateAclsRequest>

export const CreateAclsResponse = message(
  { versions: '1-3', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    results: array(struct({ errorCode: int16, errorMessage: string.nullable() })),
  },
)
export type CreateAclsResponse = Of<typeof CreateAclsResponse>
