/** AddOffsetsToTxn, API key 25, versions 0-4. */
import { int16, int32, int64, string, message, type Of } from '../schema.ts'

export const AddOffsetsToTxnRequest = message(
  { versions: '0-4', flexible: '3+' },
  { transactionalId: string, producerId: int64, producerEpoch: int16, groupId: string },
)
export type AddOffsetsToTxnRequest = Of<typeof AddOffsetsToTxnRequest>

export const AddOffsetsToTxnResponse = message(
  { versions: '0-4', flexible: '3+' },
  { throttleTimeMs: int32.or(0), errorCode: int16 },
)
export type AddOffsetsToTxnResponse = Of<typeof AddOffsetsToTxnResponse>
