/** AlterUserScramCredentials, API key 51, versions 0. */
import { array, bytes, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const AlterUserScramCredentialsRequest = message(
  { versions: '0', flexible: '0+' },
  {
    deletions: array(struct({ name: string, mechanism: int8 })),
    upsertions: array(
      struct({ name: string, mechanism: int8, iterations: int32, salt: bytes, saltedPassword: bytes }),
    ),
  },
)
export type AlterUserScramCredentialsRequest = Of<typeof AlterUserScramCredentialsRequest>

export const AlterUserScramCredentialsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    results: array(struct({ user: string, errorCode: int16, errorMessage: string.nullable() })),
  },
)
export type AlterUserScramCredentialsResponse = Of<typeof AlterUserScramCredentialsResponse>
