/** JoinGroup, API key 11, versions 0-9. */
import { array, bool, bytes, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const JoinGroupRequest = message(
  { versions: '0-9', flexible: '6+' },
  {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: int32.in('1+').or(-1),
    memberId: string,
    groupInstanceId: string.nullable().in('5+').or(null),
    protocolType: string,
    protocols: array(struct({ name: string, metadata: bytes })),
    reason: string.nullable().in('8+').or(null),
  },
)
export type JoinGroupRequest = Of<typeof JoinGroupRequest>

export const JoinGroupResponse = message(
  { versions: '0-9', flexible: '6+' },
  {
    throttleTimeMs: int32.in('2+').or(0),
    errorCode: int16,
    generationId: int32.or(-1),
    protocolType: string.nullable().in('7+').or(null),
    protocolName: string.nullable('7+'),
    leader: string,
    skipAssignment: bool.in('9+').or(false),
    memberId: string,
    members: array(
      struct({ memberId: string, groupInstanceId: string.nullable().in('5+').or(null), metadata: bytes }),
    ),
  },
)
export type JoinGroupResponse = Of<typeof JoinGroupResponse>
