/** ExpireDelegationToken, API key 40, versions 1-2. */
import { bytes, int16, int32, int64, message, type Of } from '../schema.ts'

export const ExpireDelegationTokenRequest = message(
  { versions: '1-2', flexible: '2+' },
  { hmac: bytes, expiryTimePeriodMs: int64 },
)
export type ExpireDelegationTokenRequest = Of<typeof ExpireDelegationTokenRequest>

export const ExpireDelegationTokenResponse = message(
  { versions: '1-2', flexible: '2+' },
  { errorCode: int16, expiryTimestampMs: int64, throttleTimeMs: int32.or(0) },
)
export type ExpireDelegationTokenResponse = Of<typeof ExpireDelegationTokenResponse>
