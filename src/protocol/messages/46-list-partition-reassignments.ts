/** ListPartitionReassignments, API key 46, versions 0. */
import { array, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const ListPartitionReassignmentsRequest = message(
  { versions: '0', flexible: '0+' },
  {
    timeoutMs: int32.or(60000),
    topics: array(struct({ name: string, partitionIndexes: array(int32) }))
      .nullable()
      .or(null),
  },
)
export type ListPartitionReassignmentsRequest = Of<typeof ListPartitionReassignmentsRequest>

export const ListPartitionReassignmentsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            replicas: array(int32),
            addingReplicas: array(int32),
            removingReplicas: array(int32),
          }),
        ),
      }),
    ),
  },
)
export type ListPartitionReassignmentsResponse = Of<typeof ListPartitionReassignmentsResponse>
