import { readBigInt64 } from '../protocol/int64.ts'
import type { Batch } from '../protocol/records/batch.ts'
import { batchesIn } from '../protocol/records/batch.ts'
import { RecordsError, type RecordFault } from '../protocol/records/errors.ts'
import { readRecords, type Record } from '../protocol/records/record.ts'
import { RecordCursor } from '../protocol/records/varint.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import { isAborted } from './aborted.ts'
import type { Eras } from './eras.ts'
import type { VlsnIndex } from './vlsn-index.ts'

/** The header in which a writer names, in 8 bytes big-endian, the VLSN that it used before this one; -1 for none. */
export const afterHeader = 'odradek.vlsn.after'

const keyLength = 8

/** What a partition of a VLSN topic holds a batch against. */
export interface Rules {
  readonly eras: Eras
  readonly partition: number
  readonly log: PartitionLog
  readonly index: VlsnIndex
  /** Nothing below it is taken any more: it was decided that it is missing, or deleted. */
  readonly floor: bigint
}

/** What becomes of a batch that is sound. */
export interface Admission {
  readonly vlsns: readonly bigint[]
  /** How many of its records, from the first on, are stored already with the same values. */
  readonly storedCount: number
  /** Where the first of those is. */
  readonly storedOffset: number
}

/**
 * Judges the records of a batch, `body` being what they are without compression. Throws RecordsError INVALID_RECORD with a message for
 * each record that breaks the topic's rules: a key of 8 bytes that are a VLSN below 2^63 of this partition, above the last one there
 * and not below the floor. Records that are stored already are no fault where their values are the same, since clients send again what
 * they were not answered.
 */
export function admit(batch: Batch, body: Buffer, rules: Rules): Admission {
  const { recordCount } = batch
  const judge = new Judge(rules)
  const cursor = new RecordCursor(body)
  for (let index = 0; index < recordCount; index++) {
    const end = cursor.enterRecord(body.length)
    cursor.varlongRounded()
    cursor.varint()
    const length = cursor.varint()
    const keyAt = length > 0 ? cursor.skip(length) : cursor.position
    const fault =
      length === keyLength
        ? judge.vlsn(readBigInt64(body, keyAt), () => valueAt(body, cursor.position))
        : `The key has ${Math.max(length, 0)} bytes and not the ${keyLength} of a VLSN`
    if (fault !== undefined) judge.faults.push({ batchIndex: index, message: fault })
    cursor.position = end
  }
  if (judge.faults.length > 0) throw refusal(judge.faults, recordCount)
  const { vlsns, storedCount, storedOffset } = judge
  return { vlsns, storedCount, storedOffset }
}

function refusal(faults: readonly RecordFault[], recordCount: number): RecordsError {
  const { batchIndex, message } = faults[0]!
  return new RecordsError(
    'INVALID_RECORD',
    `${faults.length} of ${recordCount} records were refused, first record ${batchIndex}: ${message}`,
    faults,
  )
}

function valueAt(body: Buffer, position: number): Buffer | null {
  const cursor = new RecordCursor(body, position)
  const length = cursor.varint()
  if (length < 0) return null
  const start = cursor.skip(length)
  return body.subarray(start, start + length)
}

/** Goes from record to record. */
class Judge {
  readonly faults: RecordFault[] = []
  readonly vlsns: bigint[] = []
  storedCount = 0
  storedOffset = -1
  readonly #rules: Rules
  readonly #stored: StoredRecords
  /** What the next VLSN has to be above. */
  #last: bigint

  constructor(rules: Rules) {
    this.#rules = rules
    this.#stored = new StoredRecords(rules.log)
    this.#last = rules.index.last
  }

  /** Why a record is refused; undefined where it is not. */
  vlsn(vlsn: bigint, value: () => Buffer | null): string | undefined {
    const { eras, partition, index, floor } = this.#rules
    if (vlsn < 0n) return 'The VLSN is not below 2^63'
    const home = eras.partitionOf(vlsn)
    if (home !== partition) return `VLSN ${vlsn} lies in partition ${home}, not in ${partition}`
    if (vlsn <= index.last) return this.#again(vlsn, value())
    if (vlsn <= this.#last) return `VLSN ${vlsn} comes after ${this.#last} in the same batch`
    if (vlsn < floor)
      return `VLSN ${vlsn} comes too late: it is decided that nothing is missing below ${floor}`
    this.vlsns.push(vlsn)
    this.#last = vlsn
    return undefined
  }

  /** Judges a VLSN that the partition has passed. */
  #again(vlsn: bigint, value: Buffer | null): string | undefined {
    const { index, log } = this.#rules
    const offset = index.offsetOf(vlsn)
    if (offset === undefined || offset < Number(log.logStartOffset)) {
      return `VLSN ${vlsn} is not above ${index.last}, the last one of the partition`
    }
    const isNext =
      this.vlsns.length === this.storedCount &&
      (this.storedCount === 0 || offset === this.storedOffset + this.storedCount)
    if (!isNext) return `VLSN ${vlsn} is stored already, and not next to what is sent with it`
    if (!this.#stored.isSame(offset, value)) return `VLSN ${vlsn} is stored already, with another value`
    if (this.storedCount++ === 0) this.storedOffset = offset
    this.vlsns.push(vlsn)
    return undefined
  }
}

/** The records that a batch seems to repeat. */
class StoredRecords {
  readonly #log: PartitionLog
  #records = new Map<number, Record>()

  constructor(log: PartitionLog) {
    this.#log = log
  }

  /** Whether the record at `offset` has this value, and was not aborted. */
  isSame(offset: number, value: Buffer | null): boolean {
    if (!this.#records.has(offset)) this.#read(offset)
    const record = this.#records.get(offset)
    if (!record) return false
    return value === null || record.value === null ? value === record.value : value.equals(record.value)
  }

  #read(offset: number): void {
    const slice = this.#log.readAccepted(offset)
    try {
      const [batch] = batchesIn(Buffer.concat(slice.pieces))
      const records = isAborted(batch!, this.#log.aborted) ? [] : [...readRecords(batch!)]
      this.#records = new Map(records.map(record => [Number(record.offset), record]))
    } finally {
      slice.release()
    }
  }
}
