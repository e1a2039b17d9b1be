/** UnregisterBroker, API key 64, versions 0. */
import { int16, int32, string, message, type Of } from '../schema.ts'

export const UnregisterBrokerRequest = message({ versions: '0', flexible: '0+' }, { brokerId: int32 })
export type UnregisterBrokerRequest = Of<typeof UnregisterBrokerRequest>

export const UnregisterBrokerResponse = message(
  { versions: '0', flexible: '0+' },
  { throttleTimeMs: int32.or(0), errorCode: int16, errorMessage: string.nullable() },
)
export type UnregisterBrokerResponse = Of<typeof UnregisterBrokerResponse>
