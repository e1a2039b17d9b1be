/** InitProducerId, API key 22, versions 0-6. */
import { bool, int16, int32, int64, string, message, type Of } from '../schema.ts'

export const InitProducerIdRequest = message(
  { versions: '0-6', flexible: '2+' },
  {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: int64.in('3+').or(-1n),
    producerEpoch: int16.in('3+').or(-1),
    enable2Pc: bool.in('6+').or(false),
    keepPreparedTxn: bool.in('6+').or(false),
  },
)
export type InitProducerIdRequest = Of<typeof InitProducerIdRequest>

export const InitProducerIdResponse = message(
  { versions: '0-6', flexible: '2+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    producerId: int64.or(-1n),
    producerEpoch: int16,
    ongoingTxnProducerId: int64.in('6+').or(-1n),
    ongoingTxnProducerEpoch: int16.in('6+').or(-1),
  },
)
export type InitProducerIdResponse = Of<typeof InitProducerIdResponse>
