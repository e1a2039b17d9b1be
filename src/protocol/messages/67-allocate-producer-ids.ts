/** AllocateProducerIds, API key 67, versions 0. Spoken between brokers and controllers only; odradek knows its form and does not serve it. */
import { int16, int32, int64, message, type Of } from '../schema.ts'

export const AllocateProducerIdsRequest = message(
  { versions: '0', flexible: '0+' },
  { brokerId: int32, brokerEpoch: int64.or(-1n) },
)
export type AllocateProducerIdsRequest = Of<typeof AllocateProducerIdsRequest>

export const AllocateProducerIdsResponse = message(
  { versions: '0', flexible: '0+' },
  { throttleTimeMs: int32.or(0), errorCode: int16, producerIdStart: int64, producerIdLen: int32 },
)
export type AllocateProducerIdsResponse = Of<typeof AllocateProducerIdsResponse>
