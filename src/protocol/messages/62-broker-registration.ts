/** BrokerRegistration, API key 62, versions 0-4. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import {
  array,
  bool,
  int16,
  int32,
  int64,
  string,
  struct,
  uint16,
  uuid,
  message,
  type Of,
} from '../schema.ts'

export const BrokerRegistrationRequest = message(
  { versions: '0-4', flexible: '0+' },
  {
    brokerId: int32,
    clusterId: string,
    incarnationId: uuid,
    listeners: array(struct({ name: string, host: string, port: uint16, securityProtocol: int16 })),
    features: array(struct({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 })),
    rack: string.nullable(),
    isMigratingZkBroker: bool.in('1+').or(false),
    logDirs: array(uuid).in('2+'),
    previousBrokerEpoch: int64.in('3+').or(-1n),
  },
)
export type BrokerRegistrationRequest = Of<typeof BrokerRegistrationRequest>

export const BrokerRegistrationResponse = message(
  { versions: '0-4', flexible: '0+' },
  { throttleTimeMs: int32.or(0), errorCode: int16, brokerEpoch: int64.or(-1n) },
)
export type BrokerRegistrationResponse = Of<typeof BrokerRegistrationResponse>
