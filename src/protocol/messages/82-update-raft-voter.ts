/** UpdateRaftVoter, API key 82, versions 0. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { array, int16, int32, string, struct, uint16, uuid, message, type Of } from '../schema.ts'

export const UpdateRaftVoterRequest = message(
  { versions: '0', flexible: '0+' },
  {
    clusterId: string.nullable(),
    currentLeaderEpoch: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array(struct({ name: string, host: string, port: uint16 })),
    kRaftVersionFeature: struct({ minSupportedVersion: int16, maxSupportedVersion: int16 }),
  },
)
export type UpdateRaftVoterRequest = Of<typeof UpdateRaftVoterRequest>

export const UpdateRaftVoterResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    currentLeader: struct({
      leaderId: int32.or(-1),
      leaderEpoch: int32.or(-1),
      host: string,
      port: int32,
    }).tag(0, '0+'),
  },
)
export type UpdateRaftVoterResponse = Of<typeof UpdateRaftVoterResponse>
