/** DescribeDelegationToken, API key 41, versions 1-3. */
import { array, bytes, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const DescribeDelegationTokenRequest = message(
  { versions: '1-3', flexible: '2+' },
  { owners: array(struct({ principalType: string, principalName: string })).nullable() },
)
export type DescribeDelegationTokenRequest = Of<typeof DescribeDelegationTokenRequest>

export const DescribeDelegationTokenResponse = message(
  { versions: '1-3', flexible: '2+' },
  {
    errorCode: int16,
    tokens: array(
      struct({
        principalType: string,
        principalName: string,
        tokenRequesterPrincipalType: string.in('3+'),
        tokenRequesterPrincipalName: string.in('3+'),
        issueTimestamp: int64,
        expiryTimestamp: int64,
        maxTimestamp: int64,
        tokenId: string,
        hmac: bytes,
        renewers: array(struct({ principalType: string, principalName: string })),
      }),
    ),
    throttleTimeMs: int32.or(0),
  },
)
export type DescribeDelegationTokenResponse = Of<typeof DescribeDelegationTokenResponse>
