/** LeaveGroup, API key 13, versions 0-5. */
import { array, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const LeaveGroupRequest = message(
  { versions: '0-5', flexible: '4+' },
  {
    groupId: string,
    memberId: string.in('0-2'),
    members: array(
      struct({
        memberId: string.in('3+'),
        groupInstanceId: string.nullable().in('3+').or(null),
        reason: string.nullable().in('5+').or(null),
      }),
    ).in('3+'),
  },
)
export type LeaveGroupRequest = Of<typeof LeaveGroupRequest>

export const LeaveGroupResponse = message(
  { versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32.in('1+').or(0),
    errorCode: int16,
    members: array(
      struct({
        memberId: string.in('3+'),
        groupInstanceId: string.nullable().in('3+'),
        errorCode: int16.in('3+'),
      }),
    ).in('3+'),
  },
)
export type LeaveGroupResponse = Of<typeof LeaveGroupResponse>
