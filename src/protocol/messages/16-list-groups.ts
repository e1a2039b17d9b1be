/** ListGroups, API key 16, versions 0-5. */
import { array, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const ListGroupsRequest = message(
  { versions: '0-5', flexible: '3+' },
  { statesFilter: array(string).in('4+'), typesFilter: array(string).in('5+') },
)
export type ListGroupsRequest = Of<typeof ListGroupsRequest>

export const ListGroupsResponse = message(
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32.in('1+').or(0),
    errorCode: int16,
    groups: array(
      struct({
        groupId: string,
        protocolType: string,
        groupState: string.in('4+'),
        groupType: string.in('5+'),
      }),
    ),
  },
)
export type ListGroupsResponse = Of<typeof ListGroupsResponse>
