import { KafkaError } from '../protocol/errors.ts'
import { setMaxTimestamp, type Batch } from '../protocol/records/batch.ts'
import { checkBatch } from '../protocol/records/check.ts'
import { RecordsError } from '../protocol/records/errors.ts'
import { recompress } from '../protocol/records/recompress.ts'
import type { ProduceRules } from './produce-rules.ts'

/** A batch as the log takes it. */
export interface ProducedBatch {
  readonly batch: Batch
  /** Whether it lies in memory of its own and no longer in that of the request. */
  readonly isRebuilt: boolean
  /** The records without compression. */
  readonly body: Buffer
}

/** From this version of Produce on, zstd is allowed (KIP-110). */
const zstdFirst = 7

/**
 * Makes of what a client sent in Produce `version` at `now` (ms) what the topic keeps. Written in place, except that records
 * which the topic wants in another codec become another batch. Throws RecordsError as `checkBatch` does, and KafkaError
 * MESSAGE_TOO_LARGE (before and after), UNSUPPORTED_COMPRESSION_TYPE (ProduceRequest.validateRecords, then LogValidator).
 */
export function produced(
  records: Buffer | null,
  rules: ProduceRules,
  { version, now }: { version: number; now: bigint },
): ProducedBatch {
  checkLength(records?.length ?? 0, rules)
  const { batch, maxTimestamp, body } = checkBatch(records, rules.demands(now))
  if (version < zstdFirst && batch.codec === 'zstd') {
    const message = `Produce requests with version ${version} are not allowed to use ZStandard compression`
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', message)
  }
  if (batch.isControl)
    throw new KafkaError('INVALID_RECORD', 'Clients are not allowed to write control records')
  if (rules.isAppendTime) checkTimestampType(batch)

  const { codec, level } = rules
  const isRebuilt = codec !== undefined && codec !== batch.codec
  const kept = isRebuilt ? recompress(batch, body!, codec, level) : batch
  if (isRebuilt) checkLength(kept.sizeInBytes, rules)
  if (rules.isAppendTime) setMaxTimestamp(kept, 'LogAppendTime', now)
  else setMaxTimestamp(kept, 'CreateTime', maxTimestamp)
  return { batch: kept, isRebuilt, body: body! }
}

function checkLength(length: number, { batchLengthMax }: ProduceRules): void {
  if (length <= batchLengthMax) return
  throw new KafkaError(
    'MESSAGE_TOO_LARGE',
    `The batch has ${length} bytes; max.message.bytes allows ${batchLengthMax}`,
  )
}

/** A topic that stamps records itself takes none that claim to be stamped. */
function checkTimestampType({ timestampType }: Batch): void {
  if (timestampType === 'CreateTime') return
  throw new RecordsError('INVALID_TIMESTAMP', 'Producers may not set the timestamp type LogAppendTime')
}
