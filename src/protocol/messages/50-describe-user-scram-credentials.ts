/** DescribeUserScramCredentials, API key 50, versions 0. */
import { array, int16, int32, int8, string, struct, message, type Of } from '../schema.ts'

export const DescribeUserScramCredentialsRequest = message(
  { versions: '0', flexible: '0+' },
  { users: array(struct({ name: string })).nullable() },
)
export type DescribeUserScramCredentialsRequest = Of<typeof DescribeUserScramCredentialsRequest>

export const DescribeUserScramCredentialsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array(
      struct({
        user: string,
        errorCode: int16,
        errorMessage: string.nullable(),
        credentialInfos: array(struct({ mechanism: int8, iterations: int32 })),
      }),
    ),
  },
)
export type DescribeUserScramCredentialsResponse = Of<typeof DescribeUserScramCredentialsResponse>
