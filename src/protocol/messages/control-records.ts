/** Keys and values of the records in control batches. */
import { array, int16, int32, int64, string, struct, uint16, uuid, message, type Of } from '../schema.ts'

export const ControlRecordTypeSchema = message({ versions: '0', flexible: 'none' }, { type: int16 })
export type ControlRecordTypeSchema = Of<typeof ControlRecordTypeSchema>

export const EndTxnMarker = message({ versions: '0', flexible: 'none' }, { coordinatorEpoch: int32 })
export type EndTxnMarker = Of<typeof EndTxnMarker>

export const KRaftVersionRecord = message(
  { versions: '0', flexible: '0+' },
  { version: int16, kRaftVersion: int16 },
)
export type KRaftVersionRecord = Of<typeof KRaftVersionRecord>

const voter = struct({ voterId: int32, voterDirectoryId: uuid.in('1+') })

export const LeaderChangeMessage = message(
  { versions: '0-1', flexible: '0+' },
  { version: int16, leaderId: int32, voters: array(voter), grantingVoters: array(voter) },
)
export type LeaderChangeMessage = Of<typeof LeaderChangeMessage>

export const SnapshotFooterRecord = message({ versions: '0', flexible: '0+' }, { version: int16 })
export type SnapshotFooterRecord = Of<typeof SnapshotFooterRecord>

export const SnapshotHeaderRecord = message(
  { versions: '0', flexible: '0+' },
  { version: int16, lastContainedLogTimestamp: int64 },
)
export type SnapshotHeaderRecord = Of<typeof SnapshotHeaderRecord>

export const VotersRecord = message(
  { versions: '0', flexible: '0+' },
  {
    version: int16,
    voters: array(
      struct({
        voterId: int32,
        voterDirectoryId: uuid,
        endpoints: array(struct({ name: string, host: string, port: uint16 })),
        kRaftVersionFeature: struct({ minSupportedVersion: int16, maxSupportedVersion: int16 }),
      }),
    ),
  },
)
export type VotersRecord = Of<typeof VotersRecord>
