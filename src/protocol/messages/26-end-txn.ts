/** EndTxn, API key 26, versions 0-5. */
import { bool, int16, int32, int64, string, message, type Of } from '../schema.ts'

export const EndTxnRequest = message(
  { versions: '0-5', flexible: '3+' },
  { transactionalId: string, producerId: int64, producerEpoch: int16, committed: bool },
)
export type EndTxnRequest = Of<typeof EndTxnRequest>

export const EndTxnResponse = message(
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    producerId: int64.in('5+').or(-1n),
    producerEpoch: int16.in('5+').or(-1),
  },
)
export type EndTxnResponse = Of<typeof EndTxnResponse>
