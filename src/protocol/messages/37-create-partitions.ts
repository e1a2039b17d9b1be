/** CreatePartitions, API key 37, versions 0-3. */
import { array, bool, int16, int32, string, struct, message, type Of } from '../schema.ts'

export const CreatePartitionsRequest = message(
  { versions: '0-3', flexible: '2+' },
  {
    topics: array(
      struct({
        name: string,
        count: int32,
        assignments: array(struct({ brokerIds: array(int32) })).nullable(),
      }),
    ),
    timeoutMs: int32,
    validateOnly: bool,
  },
)
export type CreatePartitionsRequest = Of<typeof CreatePartitionsRequest>

export const CreatePartitionsResponse = message(
  { versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    results: array(struct({ name: string, errorCode: int16, errorMessage: string.nullable().or(null) })),
  },
)
export type CreatePartitionsResponse = Of<typeof CreatePartitionsResponse>
