/** ControllerRegistration, API key 70, versions 0. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { array, bool, int16, int32, string, struct, uint16, uuid, message, type Of } from '../schema.ts'

export const ControllerRegistrationRequest = message(
  { versions: '0', flexible: '0+' },
  {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    listeners: array(struct({ name: string, host: string, port: uint16, securityProtocol: int16 })),
    features: array(struct({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 })),
  },
)
export type ControllerRegistrationRequest = Of<typeof ControllerRegistrationRequest>

export const ControllerRegistrationResponse = message(
  { versions: '0', flexible: '0+' },
  { throttleTimeMs: int32.or(0), errorCode: int16, errorMessage: string.nullable() },
)
export type ControllerRegistrationResponse = Of<typeof ControllerRegistrationResponse>
