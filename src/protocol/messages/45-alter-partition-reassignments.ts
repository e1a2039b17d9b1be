/** AlterPartitionReassignments, API key 45, versions 0-1. */
import { array, bool, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const AlterPartitionReassignmentsRequest = message(
  { versions: '0-1', flexible: '0+' },
  {
    timeoutMs: int32.or(60000),
    allowReplicationFactorChange: bool.in('1+').or(true),
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ partitionIndex: int32, replicas: array(int32).nullable().or(null) })),
      }),
    ),
  },
)
export type AlterPartitionReassignmentsRequest = Of<typeof AlterPartitionReassignmentsRequest>

export const AlterPartitionReassignmentsResponse = message(
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    allowReplicationFactorChange: bool.in('1+').or(true),
    errorCode: int16,
    errorMessage: string.nullable(),
    responses: array(
      struct({
        name: string,
        partitions: array(
          struct({ partitionIndex: int32, errorCode: int16, errorMessage: string.nullable() }),
        ),
      }),
    ),
  },
)
export type AlterPartitionReassignmentsResponse = Of<typeof AlterPartitionReassignmentsResponse>
