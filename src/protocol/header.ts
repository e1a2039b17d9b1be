/** What stands before every request and response (KIP-482 added the flexible forms). */
import { int16, int32, string, message, type Of } from './schema.ts'

export const RequestHeader = message(
  { versions: '1-2', flexible: '2+' },
  {
    requestApiKey: int16,
    requestApiVersion: int16,
    correlationId: int32,
    clientId: string.nullable().neverCompact(),
  },
)
export type RequestHeader = Of<typeof RequestHeader>

export const ResponseHeader = message({ versions: '0-1', flexible: '1+' }, { correlationId: int32 })
export type ResponseHeader = Of<typeof ResponseHeader>
