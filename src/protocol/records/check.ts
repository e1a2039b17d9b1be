import { readInt64 } from '../int64.ts'
import type { Batch } from './batch.ts'
import { batchOverhead, field, magicCurrent, wholeBatchAt } from './batch.ts'
import { bodyLengthMax, decompress } from './compression.ts'
import type { RecordFault } from './errors.ts'
import { RecordsError } from './errors.ts'
import { readRecords } from './record.ts'
import { RecordCursor } from './varint.ts'

/** What a topic asks of produced records beyond their format. */
export interface Demands {
  /** Walk the records of compressed batches too; otherwise only their header and checksum are checked. */
  readonly inside?: boolean
  /** Each record must have a key (compacted topics); implies `inside`. */
  readonly keys?: boolean
  /** The least and greatest timestamp a record may carry, where it carries one. */
  readonly timestampMin?: bigint
  readonly timestampMax?: bigint
  /** How many bytes a compressed body may become. */
  readonly bodyLengthMax?: number
}

/** A batch that is sound. */
export class CheckedBatch {
  readonly batch: Batch
  /**
   * The greatest timestamp among the records, or the header's word for it where they were not walked. Kafka writes
   * it into the header where that says otherwise; see `setMaxTimestamp`.
   */
  readonly maxTimestamp: bigint
  readonly #opened: Buffer | undefined

  /** `opened`: the records of a compressed batch. */
  constructor(batch: Batch, maxTimestamp: bigint, opened?: Buffer) {
    this.batch = batch
    this.maxTimestamp = maxTimestamp
    this.#opened = opened
  }

  /** The records without compression, where they were walked. */
  get body(): Buffer | undefined {
    return this.batch.codec === 'none' ? this.batch.body : this.#opened
  }
}

/**
 * Checks what a client wants to append: exactly one sound v2 batch with the records it announces. Bytes are only read.
 *
 * Throws RecordsError with the code that Kafka answers (ProduceRequest.validateRecords, then UnifiedLog's
 * analyzeAndValidateRecords, then LogValidator): CORRUPT_MESSAGE for a wrong length, magic or checksum and for a body that
 * does not decompress; INVALID_RECORD for counts, records and keys; INVALID_TIMESTAMP; UNSUPPORTED_COMPRESSION_TYPE.
 */
export function checkBatch(records: Buffer | null, demands: Demands = {}): CheckedBatch {
  const batch = soleBatch(records)
  checkHeader(batch)
  const { codec } = batch
  const { timestampMin, timestampMax } = demands
  if (codec !== 'none' && !demands.inside && !demands.keys && !isSuspicious(batch, demands)) {
    return new CheckedBatch(batch, batch.maxTimestamp)
  }

  const lengthMax = demands.bodyLengthMax ?? bodyLengthMax
  const opened = codec === 'none' ? undefined : decompress(codec, batch.body, lengthMax)
  const found = walk(batch, opened ? new RecordCursor(opened) : cursorWithin(batch))
  const isAtFault =
    isOutside(found.minTimestamp, timestampMin, timestampMax) ||
    isOutside(found.maxTimestamp, timestampMin, timestampMax) ||
    (demands.keys === true && found.keylessCount > 0)
  if (isAtFault) judgeRecords(batch, demands, lengthMax)
  return new CheckedBatch(batch, found.maxTimestamp, opened)
}

/** The header tells of a compressed batch's timestamps, so that only a suspicious one is opened for them. */
function isSuspicious(
  { baseTimestamp, maxTimestamp }: Batch,
  { timestampMin, timestampMax }: Demands,
): boolean {
  return (
    isOutside(baseTimestamp, timestampMin, timestampMax) ||
    isOutside(maxTimestamp, timestampMin, timestampMax)
  )
}

/** The one batch of a produce request's records for a partition (ProduceRequest.validateRecords). */
function soleBatch(records: Buffer | null): Batch {
  if (records && records.length > field.magic) {
    const magic = records.readInt8(field.magic)
    if (magic === 0 || magic === 1) {
      throw new RecordsError(
        'INVALID_RECORD',
        `Message format ${magic}; produced batches have format ${magicCurrent}`,
      )
    }
  }
  const batch = records && wholeBatchAt(records, 0)
  if (!batch) throw new RecordsError('INVALID_RECORD', 'There is no whole batch')
  if (wholeBatchAt(records, batch.sizeInBytes))
    throw new RecordsError('INVALID_RECORD', 'There is more than one batch')
  return batch
}

function checkHeader(batch: Batch): void {
  const { bytes, position, lastOffsetDelta, recordCount } = batch
  if (readInt64(bytes, position + field.baseOffset) !== 0)
    throw new RecordsError('INVALID_RECORD', `The base offset is ${batch.baseOffset}, not 0`)
  if (!batch.isSound)
    throw new RecordsError('CORRUPT_MESSAGE', `The checksum ${batch.crc} is not that of the batch`)
  if (lastOffsetDelta < 0)
    throw new RecordsError('INVALID_RECORD', `The last offset delta is ${lastOffsetDelta}`)
  if (recordCount <= 0) throw new RecordsError('INVALID_RECORD', `The record count is ${recordCount}`)
  if (recordCount !== lastOffsetDelta + 1) {
    throw new RecordsError(
      'INVALID_RECORD',
      `${recordCount} records do not end at offset delta ${lastOffsetDelta}`,
    )
  }
  if (batch.isControl) throw new RecordsError('INVALID_RECORD', 'Clients may not write control records')
  if (batch.hasProducerId && batch.baseSequence < 0) {
    throw new RecordsError(
      'INVALID_RECORD',
      `Sequence ${batch.baseSequence} with producer id ${batch.producerId}`,
    )
  }
}

interface Seen {
  readonly keylessCount: number
  readonly minTimestamp: bigint
  readonly maxTimestamp: bigint
}

/** The records where they lie: a view of its own would cost as much as walking a few of them. */
function cursorWithin({ bytes, position, sizeInBytes }: Batch): RecordCursor {
  return new RecordCursor(bytes, position + batchOverhead, position + sizeInBytes)
}

/** Walks the records without making anything of them: are they as many and as long as they say, and in order? */
function walk(batch: Batch, cursor: RecordCursor): Seen {
  const { recordCount } = batch
  const bodyEnd = cursor.end
  let keylessCount = 0
  let deltaMin = Infinity
  let deltaMax = -Infinity
  for (let index = 0; index < recordCount; index++) {
    const recordEnd = cursor.enterRecord(bodyEnd)
    const delta = cursor.varlongRounded()
    if (delta < deltaMin) deltaMin = delta
    if (delta > deltaMax) deltaMax = delta
    const offsetDelta = cursor.varint()
    if (offsetDelta !== index)
      throw new RecordsError('INVALID_RECORD', `Record ${index} has offset delta ${offsetDelta}`)
    const keyLength = cursor.varint()
    if (keyLength < 0) keylessCount++
    else cursor.skip(keyLength)
    const valueLength = cursor.varint()
    if (valueLength > 0) cursor.skip(valueLength)
    const headerCount = cursor.varint()
    if (headerCount !== 0) skipHeaders(cursor, headerCount)
    cursor.leave(recordEnd)
  }
  cursor.leave(bodyEnd)
  return seen(batch, keylessCount, deltaMin, deltaMax)
}

function skipHeaders(cursor: RecordCursor, count: number): void {
  if (count < 0) throw new RecordsError('INVALID_RECORD', `A record claims ${count} headers`)
  for (let index = 0; index < count; index++) {
    const keyLength = cursor.varint()
    if (keyLength < 0) throw new RecordsError('INVALID_RECORD', 'A header has no key')
    cursor.skip(keyLength)
    const valueLength = cursor.varint()
    if (valueLength > 0) cursor.skip(valueLength)
  }
}

function seen(batch: Batch, keylessCount: number, deltaMin: number, deltaMax: number): Seen {
  const { baseTimestamp, maxTimestamp } = batch
  if (batch.timestampType === 'LogAppendTime')
    return { keylessCount, minTimestamp: maxTimestamp, maxTimestamp }
  // Kafka's sums wrap, and what is found here may be written into the header's eight bytes.
  const least = BigInt.asIntN(64, baseTimestamp + BigInt(deltaMin))
  return {
    keylessCount,
    minTimestamp: least,
    maxTimestamp: deltaMin === deltaMax ? least : BigInt.asIntN(64, baseTimestamp + BigInt(deltaMax)),
  }
}

/** Judges record by record, and refuses the batch with a list of all that are at fault (LogValidator.validateRecord). */
function judgeRecords(batch: Batch, demands: Demands, lengthMax: number): void {
  const { timestampMin, timestampMax } = demands
  const faults: RecordFault[] = []
  let isTimestampAtFault = false
  let batchIndex = -1
  for (const { key, timestamp } of readRecords(batch, { bodyLengthMax: lengthMax })) {
    batchIndex++
    if (demands.keys && key === null) {
      faults.push({ batchIndex, message: 'Compacted topics accept no record without a key' })
    } else if (timestamp !== -1n && isOutside(timestamp, timestampMin, timestampMax)) {
      isTimestampAtFault = true
      faults.push({
        batchIndex,
        message: `Timestamp ${timestamp} is not within [${timestampMin}, ${timestampMax}]`,
      })
    }
  }
  if (faults.length === 0) return
  const message = `${faults.length} of ${batchIndex + 1} records were refused, first record ${faults[0]!.batchIndex}: ${faults[0]!.message}`
  throw new RecordsError(isTimestampAtFault ? 'INVALID_TIMESTAMP' : 'INVALID_RECORD', message, faults)
}

function isOutside(timestamp: bigint, min: bigint | undefined, max: bigint | undefined): boolean {
  return (min !== undefined && timestamp < min) || (max !== undefined && timestamp > max)
}
