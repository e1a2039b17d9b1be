/** AddRaftVoter, API key 80, versions 0-1. */
import { array, bool, int16, int32, string, struct, uint16, uuid, message, type Of } from '../schema.ts'

export const AddRaftVoterRequest = message(
  { versions: '0-1', flexible: '0+' },
  {
    clusterId: string.nullable(),
    timeoutMs: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array(struct({ name: string, host: string, port: uint16 })),
    ackWhenCommitted: bool.in('1+').or(true),
  },
)
export type AddRaftVoterRequest = Of<typeof AddRaftVoterRequest>

export const AddRaftVoterResponse = message(
  { versions: '0-1', flexible: '0+' },
  { throttleTimeMs: int32.or(0), errorCode: int16, errorMessage: string.nullable() },
)
export type AddRaftVoterResponse = Of<typeof AddRaftVoterResponse>
