/** What members of a classic consumer group tell each other inside JoinGroup and SyncGroup; each stands behind its version as int16. */
import { array, bytes, int32, string, struct, message, type Of } from '../schema.ts'

export const ConsumerProtocolAssignment = message(
  { versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: array(struct({ topic: string, partitions: array(int32) })),
    userData: bytes.nullable().or(null),
  },
)
export type ConsumerProtocolAssignment = Of<typeof ConsumerProtocolAssignment>

export const ConsumerProtocolSubscription = message(
  { versions: '0-3', flexible: 'none' },
  {
    topics: array(string),
    userData: bytes.nullable().or(null),
    ownedPartitions: array(struct({ topic: string.in('1+'), partitions: array(int32).in('1+') })).in('1+'),
    generationId: int32.in('2+').or(-1),
    rackId: string.nullable().in('3+').or(null),
  },
)
export type ConsumerProtocolSubscription = Of<typeof ConsumerProtocolSubscription>
