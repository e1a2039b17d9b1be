/** BrokerHeartbeat, API key 63, versions 0-2. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { array, bool, int16, int32, int64, uuid, message, type Of } from '../schema.ts'

export const BrokerHeartbeatRequest = message(
  { versions: '0-2', flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64.or(-1n),
    currentMetadataOffset: int64,
    wantFence: bool,
    wantShutDown: bool,
    offlineLogDirs: array(uuid).tag(0, '1+'),
    cordonedLogDirs: array(uuid).nullable().or(null).tag(1, '2+'),
  },
)
export type BrokerHeartbeatRequest = Of<typeof BrokerHeartbeatRequest>

export const BrokerHeartbeatResponse = message(
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    isCaughtUp: bool.or(false),
    isFenced: bool.or(true),
    shouldShutDown: bool,
  },
)
export type BrokerHeartbeatResponse = Of<typeof BrokerHeartbeatResponse>
