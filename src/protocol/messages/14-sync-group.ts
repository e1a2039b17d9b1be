/** SyncGroup, API key 14, versions 0-5. */
import { array, bytes, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const SyncGroupRequest = message(
  { versions: '0-5', flexible: '4+' },
  {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.nullable().in('3+').or(null),
    protocolType: string.nullable().in('5+').or(null),
    protocolName: string.nullable().in('5+').or(null),
    assignments: array(struct({ memberId: string, assignment: bytes })),
  },
)
export type SyncGroupRequest = Of<typeof SyncGroupRequest>

export const SyncGroupResponse = message(
  { versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32.in('1+').or(0),
    errorCode: int16,
    protocolType: string.nullable().in('5+').or(null),
    protocolName: string.nullable().in('5+').or(null),
    assignment: bytes,
  },
)
export type SyncGroupResponse = Of<typeof SyncGroupResponse>
