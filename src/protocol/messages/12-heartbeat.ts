/** Heartbeat, API key 12, versions 0-4. */
import { int16, int32, string, message, type Of } from '../schema.ts'

export const HeartbeatRequest = message(
  { versions: '0-4', flexible: '4+' },
  {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.nullable().in('3+').or(null),
  },
)
export type HeartbeatRequest = Of<typeof HeartbeatRequest>

export const HeartbeatResponse = message(
  { versions: '0-4', flexible: '4+' },
  { throttleTimeMs: int32.in('1+').or(0), errorCode: int16 },
)
export type HeartbeatResponse = Of<typeof HeartbeatResponse>
