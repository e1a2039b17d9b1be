/** CreateDelegationToken, API key 38, versions 1-3. */
import { array, bytes, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const CreateDelegationTokenRequest = message(
  { versions: '1-3', flexible: '2+' },
  {
    ownerPrincipalType: string.nullable().in('3+'),
    ownerPrincipalName: string.nullable().in('3+'),
    renewers: array(struct({ principalType: string, principalName: string })),
    maxLifetimeMs: int64,
  },
)
export type CreateDelegationTokenRequest = Of<typeof CreateDelegationTokenRequest>

export const CreateDelegationTokenResponse = message(
  { versions: '1-3', flexible: '2+' },
  {
    errorCode: int16,
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: string.in('3+'),
    tokenRequesterPrincipalName: string.in('3+'),
    issueTimestampMs: int64,
    expiryTimestampMs: int64,
    maxTimestampMs: int64,
    tokenId: string,
    hmac: bytes,
    throttleTimeMs: int32.or(0),
  },
)
export type CreateDelegationTokenResponse = Of<typeof CreateDelegationTokenResponse>
