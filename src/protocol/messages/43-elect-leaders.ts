/** ElectLeaders, API key 43, versions 0-2. */
import { array, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const ElectLeadersRequest = message(
  { versions: '0-2', flexible: '2+' },
  {
    electionType: int8.in('1+'),
    topicPartitions: array(struct({ topic: string, partitions: array(int32) })).nullable(),
    timeoutMs: int32.or(60000),
  },
)
export type ElectLeadersRequest = Of<typeof ElectLeadersRequest>

export const ElectLeadersResponse = message(
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16.in('1+'),
    replicaElectionResults: array(
      struct({
        topic: string,
        partitionResult: array(
          struct({ partitionId: int32, errorCode: int16, errorMessage: string.nullable() }),
        ),
      }),
    ),
  },
)
export type ElectLeadersResponse = Of<typeof ElectLeadersResponse>
