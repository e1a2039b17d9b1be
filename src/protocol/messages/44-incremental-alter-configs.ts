/** IncrementalAlterConfigs, API key 44, versions 0-1. */
import { array, bool, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const IncrementalAlterConfigsRequest = message(
  { versions: '0-1', flexible: '1+' },
  {
    resources: array(
      struct({
        resourceType: int8,
        resourceName: string,
        configs: array(struct({ name: string, configOperation: int8, value: string.nullable() })),
      }),
    ),
    validateOnly: bool,
  },
)
export type IncrementalAlterConfigsRequest = Of<typeof IncrementalAlterConfigsRequest>

export const IncrementalAlterConfigsResponse = message(
  { versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32.or(0),
    responses: array(
      struct({ errorCode: int16, errorMessage: string.nullable(), resourceType: int8, resourceName: string }),
    ),
  },
)
export type IncrementalAlterConfigsResponse = Of<typeof IncrementalAlterConfigsResponse>
