/** RenewDelegationToken, API key 39, versions 1-2. */
import { bytes, int16, int32, int64, message, type Of } from '../schema.ts'

export const RenewDelegationTokenRequest = message(
  { versions: '1-2', flexible: '2+' },
  { hmac: bytes, renewPeriodMs: int64 },
)
export type RenewDelegationTokenRequest = Of<typeof RenewDelegationTokenRequest>

export const RenewDelegationTokenResponse = message(
  { versions: '1-2', flexible: '2+' },
  { errorCode: int16, expiryTimestampMs: int64, throttleTimeMs: int32.or(0) },
)
export type RenewDelegationTokenResponse = Of<typeof RenewDelegationTokenResponse>
