/** ListConfigResources, API key 74, versions 0-1. */
import { array, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const ListConfigResourcesRequest = message(
  { versions: '0-1', flexible: '0+' },
  { resourceTypes: array(int8).in('1+') },
)
export type ListConfigResourcesRequest = Of<typeof ListConfigResourcesRequest>

export const ListConfigResourcesResponse = message(
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    configResources: array(struct({ resourceName: string, resourceType: int8.in('1+').or(16) })),
  },
)
export type ListConfigResourcesResponse = Of<typeof ListConfigResourcesResponse>
