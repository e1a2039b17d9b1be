/** Envelope, API key 58, versions 0. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { bytes, int16, message, type Of } from '../schema.ts'

export const EnvelopeRequest = message(
  { versions: '0', flexible: '0+' },
  { requestData: bytes, requestPrincipal: bytes.nullable(), clientHostAddress: bytes },
)
export type EnvelopeRequest = Of<typeof EnvelopeRequest>

export const EnvelopeResponse = message(
  { versions: '0', flexible: '0+' },
  { responseData: bytes.nullable().or(null), errorCode: int16 },
)
export type EnvelopeResponse = Of<typeof EnvelopeResponse>
