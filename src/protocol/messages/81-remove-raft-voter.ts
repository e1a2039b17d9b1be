/** RemoveRaftVoter, API key 81, versions 0. */
import { int16, int32, string, uuid, message, type Of } from '../schema.ts'

export const RemoveRaftVoterRequest = message(
  { versions: '0', flexible: '0+' },
  { clusterId: string.nullable(), voterId: int32, voterDirectoryId: uuid },
)
export type RemoveRaftVoterRequest = Of<typeof RemoveRaftVoterRequest>

export const RemoveRaftVoterResponse = message(
  { versions: '0', flexible: '0+' },
  { throttleTimeMs: int32.or(0), errorCode: int16, errorMessage: string.nullable() },
)
export type RemoveRaftVoterResponse = Of<typeof RemoveRaftVoterResponse>
