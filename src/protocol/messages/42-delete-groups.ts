/** DeleteGroups, API key 42, versions 0-2. */
import { array, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const DeleteGroupsRequest = message(
  { versions: '0-2', flexible: '2+' },
  { groupsNames: array(string) },
)
export type DeleteGroupsRequest = Of<typeof DeleteGroupsRequest>

export const DeleteGroupsResponse = message(
  { versions: '0-2', flexible: '2+' },
  { throttleTimeMs: int32.or(0), results: array(struct({ groupId: string, errorCode: int16 })) },
)
export type DeleteGroupsResponse = Of<typeof DeleteGroupsResponse>
