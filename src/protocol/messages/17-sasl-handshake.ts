/** SaslHandshake, API key 17, versions 0-1. */
import { array, int16, string, message, type Of } from '../schema.ts'

export const SaslHandshakeRequest = message({ versions: '0-1', flexible: 'none' }, { mechanism: string })
export type SaslHandshakeRequest = Of<typeof SaslHandshakeRequest>

export const SaslHandshakeResponse = message(
  { versions: '0-1', flexible: 'none' },
  { errorCode: int16, mechanisms: array(string) },
)
export type SaslHandshakeResponse = Of<typeof SaslHandshakeResponse>
