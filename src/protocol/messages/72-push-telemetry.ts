/** PushTelemetry, API key 72, versions 0. */
import { bool, bytes, int16, int32, int8, uuid, message, type Of } from '../schema.ts'

export const PushTelemetryRequest = message(
  { versions: '0', flexible: '0+' },
  { clientInstanceId: uuid, subscriptionId: int32, terminating: bool, compressionType: int8, metrics: bytes },
)
export type PushTelemetryRequest = Of<typeof PushTelemetryRequest>

export const PushTelemetryResponse = message(
  { versions: '0', flexible: '0+' },
  { throttleTimeMs: int32.or(0), errorCode: int16 },
)
export type PushTelemetryResponse = Of<typeof PushTelemetryResponse>
