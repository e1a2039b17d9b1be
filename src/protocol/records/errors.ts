/** Kafka's names of what can be wrong with records; each is an error code of the protocol. */
export type RecordsErrorCode =
  | 'CORRUPT_MESSAGE'
  | 'INVALID_RECORD'
  | 'INVALID_TIMESTAMP'
  | 'UNSUPPORTED_COMPRESSION_TYPE'
  | 'UNSUPPORTED_FOR_MESSAGE_FORMAT'

/** Why one record was refused; `batchIndex` counts from 0 within its batch (Produce's `recordErrors`). */
export interface RecordFault {
  readonly batchIndex: number
  readonly message: string
}

/** The bytes at hand are not records as Kafka defines them. The only error that `protocol/records` throws for bad bytes. */
export class RecordsError extends Error {
  override readonly name = 'RecordsError'
  readonly code: RecordsErrorCode
  /** The records at fault where single records are, otherwise empty. */
  readonly faults: readonly RecordFault[]

  constructor(code: RecordsErrorCode, message: string, faults: readonly RecordFault[] = []) {
    super(message)
    this.code = code
    this.faults = faults
  }
}
