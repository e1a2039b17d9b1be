/** GetTelemetrySubscriptions, API key 71, versions 0. */
import { array, bool, int16, int32, int8, string, uuid, message, type Of } from '../schema.ts'

export const GetTelemetrySubscriptionsRequest = message(
  { versions: '0', flexible: '0+' },
  { clientInstanceId: uuid },
)
export type GetTelemetrySubscriptionsRequest = Of<typeof GetTelemetrySubscriptionsRequest>

export const GetTelemetrySubscriptionsResponse = message(
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    clientInstanceId: uuid,
    subscriptionId: int32,
    acceptedCompressionTypes: array(int8),
    pushIntervalMs: int32,
    telemetryMaxBytes: int32,
    deltaTemporality: bool,
    requestedMetrics: array(string),
  },
)
export type GetTelemetrySubscriptionsResponse = Of<typeof GetTelemetrySubscriptionsResponse>
