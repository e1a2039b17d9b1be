/** SaslAuthenticate, API key 36, versions 0-2. */
import { bytes, int16, int64, string, message, type Of } from '../schema.ts'

export const SaslAuthenticateRequest = message({ versions: '0-2', flexible: '2+' }, { authBytes: bytes })
export type SaslAuthenticateRequest = Of<typeof SaslAuthenticateRequest>

export const SaslAuthenticateResponse = message(
  { versions: '0-2', flexible: '2+' },
  {
    errorCode: int16,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.in('1+').or(0n),
  },
)
export type SaslAuthenticateResponse = Of<typeof SaslAuthenticateResponse>
