/** AlterConfigs, API key 33, versions 0-2. */
import { array, bool, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const AlterConfigsRequest = message(
  { versions: '0-2', flexible: '2+' },
  {
    resources: array(
      struct({
        resourceType: int8,
        resourceName: string,
        configs: array(struct({ name: string, value: string.nullable() })),
      }),
    ),
    validateOnly: bool,
  },
)
export type AlterConfigsRequest = Of<typeof AlterConfigsRequest>

export const AlterConfigsResponse = message(
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    responses: array(
      struct({ errorCode: int16, errorMessage: string.nullable(), resourceType: int8, resourceName: string }),
    ),
  },
)
export type AlterConfigsResponse = Of<typeof AlterConfigsResponse>
