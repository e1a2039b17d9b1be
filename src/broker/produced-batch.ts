import { KafkaError } from '../protocol/errors.ts'
import { setMaxTimestamp, type Batch } from '../protocol/records/batch.ts'
import { checkBatch, type CheckedBatch, type Demands } from '../protocol/records/check.ts'
import { RecordsError } from '../protocol/records/errors.ts'
import { recompress } from '../protocol/records/recompress.ts'
import type { ProduceRules } from './produce-rules.ts'

/** A batch as the log takes it. */
export class ProducedBatch {
  readonly batch: Batch
  /** Whether it lies in memory of its own and no longer in that of the request. */
  readonly isRebuilt: boolean
  readonly #came: CheckedBatch

  constructor(batch: Batch, came: CheckedBatch) {
    this.batch = batch
    this.isRebuilt = batch !== came.batch
    this.#came = came
  }

  /** The records without compression. */
  get body(): Buffer {
    return this.#came.body!
  }
}

/** When and how a batch comes, and what its topic demands of it then. */
export interface Arrival {
  /** Of Produce. */
  readonly version: number
  /** In milliseconds since 1970. */
  readonly now: bigint
  readonly demands: Demands
}

const noTimestamp = -1n
/** From this version of Produce on, zstd is allowed (KIP-110). */
const zstdFirst = 7

/**
 * Makes of what a client sent what the topic keeps. Written in place, except that records
 * which the topic wants in another codec become another batch. Throws RecordsError as `checkBatch` does, and KafkaError
 * MESSAGE_TOO_LARGE (before and after), UNSUPPORTED_COMPRESSION_TYPE (ProduceRequest.validateRecords, then LogValidator) and
 * RECORD_LIST_TOO_LARGE (UnifiedLog.append).
 */
export function produced(
  records: Buffer | null,
  rules: ProduceRules,
  { version, now, demands }: Arrival,
): ProducedBatch {
  checkLength(records?.length ?? 0, rules)
  const checked = checkBatch(records, demands)
  const { batch, maxTimestamp } = checked
  if (version < zstdFirst && batch.codec === 'zstd') {
    const message = `Produce requests with version ${version} are not allowed to use ZStandard compression`
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', message)
  }
  if (batch.isControl)
    throw new KafkaError('INVALID_RECORD', 'Clients are not allowed to write control records')
  if (rules.isAppendTime || maxTimestamp === noTimestamp) checkTimestampType(batch)

  const { codec, level } = rules
  const isRebuilt = codec !== undefined && codec !== batch.codec
  const kept = isRebuilt ? recompress(batch, checked.body!, codec, level) : batch
  if (isRebuilt) checkLength(kept.sizeInBytes, rules)
  checkFits(kept, rules)
  if (rules.isAppendTime) setMaxTimestamp(kept, 'LogAppendTime', now)
  else setMaxTimestamp(kept, 'CreateTime', maxTimestamp)
  return new ProducedBatch(kept, checked)
}

function checkLength(length: number, { batchLengthMax }: ProduceRules): void {
  if (length <= batchLengthMax) return
  throw new KafkaError(
    'MESSAGE_TOO_LARGE',
    `The batch has ${length} bytes; max.message.bytes allows ${batchLengthMax}`,
  )
}

function checkFits({ sizeInBytes }: Batch, { segmentLength }: ProduceRules): void {
  if (sizeInBytes <= segmentLength) return
  throw new KafkaError(
    'RECORD_LIST_TOO_LARGE',
    `The batch has ${sizeInBytes} bytes; segment.bytes allows ${segmentLength}`,
  )
}

/** A topic that stamps records itself takes none that claim to be stamped; nor does any where they have no time (LogValidator.validateTimestamp). */
function checkTimestampType({ timestampType, recordCount }: Batch): void {
  if (timestampType === 'CreateTime') return
  const message = 'Producers may not set the timestamp type LogAppendTime'
  const faults = Array.from({ length: recordCount }, (_, batchIndex) => ({ batchIndex, message }))
  throw new RecordsError('INVALID_TIMESTAMP', message, faults)
}
