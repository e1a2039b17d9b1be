import { RecordsError } from './errors.ts'

/**
 * Reads the fields of records one after another. Every failure is a RecordsError INVALID_RECORD.
 *
 * The hot path of Produce: a number may be read past `end`, as zeros past the buffer's own; `skip` and `leave` notice. Each field
 * with a length ends in `skip` and each record in `leave`, so that nothing read past the end is ever used.
 */
export class RecordCursor {
  readonly bytes: Buffer
  position: number
  end: number

  constructor(bytes: Buffer, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  /** A zigzag int32 in one to five bytes. */
  varint(): number {
    const { bytes } = this
    let at = this.position
    let byte = bytes[at++]!
    let value = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift === 35) throw new RecordsError('INVALID_RECORD', 'A varint is longer than five bytes')
      byte = bytes[at++]!
      value |= (byte & 0x7f) << shift
    }
    this.position = at
    return (value >>> 1) ^ -(value & 1)
  }

  /** A zigzag int64 in one to ten bytes, as a number: exact where that is a safe integer, rounded beyond. */
  varlongRounded(): number {
    const { bytes } = this
    let at = this.position
    let byte = bytes[at++]!
    const isNegative = (byte & 1) === 1
    let half = (byte & 0x7f) >>> 1
    for (let weight = 2 ** 6; byte >= 0x80; weight *= 2 ** 7) {
      if (weight === 2 ** 69) throw new RecordsError('INVALID_RECORD', 'A varlong is longer than ten bytes')
      byte = bytes[at++]!
      half += (byte & 0x7f) * weight
    }
    this.position = at
    return isNegative ? -half - 1 : half
  }

  /** A zigzag int64 in one to ten bytes. */
  varlong(): bigint {
    const start = this.position
    const rounded = this.varlongRounded()
    if (this.position - start <= 7) return BigInt(rounded)
    let value = 0n
    for (let at = this.position - 1; at >= start; at--) value = (value << 7n) | BigInt(this.bytes[at]! & 0x7f)
    value = BigInt.asUintN(64, value)
    return (value >> 1n) ^ -(value & 1n)
  }

  /** Passes over `length` bytes and returns where they start. */
  skip(length: number): number {
    const start = this.position
    if (length > this.end - start) throw new RecordsError('INVALID_RECORD', 'A field reaches past its record')
    this.position = start + length
    return start
  }

  /** Opens the next record: reads its length, passes over its attributes, which nothing uses, and returns its end. */
  enterRecord(batchEnd: number): number {
    const length = this.varint()
    if (length < 0 || length > batchEnd - this.position) {
      throw new RecordsError(
        'INVALID_RECORD',
        `A record claims ${length} bytes of ${batchEnd - this.position}`,
      )
    }
    this.end = this.position + length
    this.position++
    return this.end
  }

  /** Sees to it that a record, or the last of a batch, is as long as it said. */
  leave(end: number): void {
    if (this.position === end) return
    const what =
      this.position > end ? 'A record ends too early' : `${end - this.position} bytes are left over`
    throw new RecordsError('INVALID_RECORD', what)
  }
}

/** Whether shifts are enough for its zigzag: lengths and deltas nearly always are so small, and divisions cost several times as much. */
function isSmall(value: number): boolean {
  return value >= -(2 ** 30) && value < 2 ** 30
}

/** Bytes that `value` takes as a zigzag varint or varlong; it must be an int32, or a safe integer with its double. */
export function sizeOfVarint(value: number): number {
  let size = 1
  if (isSmall(value)) {
    for (let rest = (value << 1) ^ (value >> 31); rest >= 0x80; rest >>>= 7) size++
    return size
  }
  let rest = value < 0 ? -value * 2 - 1 : value * 2
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Writes `value` as a zigzag varint (or varlong) at `position` and returns the position after it. */
export function writeVarint(bytes: Buffer, position: number, value: number): number {
  let at = position
  if (isSmall(value)) {
    let rest = (value << 1) ^ (value >> 31)
    for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
    bytes[at++] = rest
    return at
  }
  let rest = value < 0 ? -value * 2 - 1 : value * 2
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80
  bytes[at++] = rest
  return at
}

/** As `sizeOfVarint`, for any int64. */
export function sizeOfVarlong(value: bigint): number {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  let size = 1
  for (; rest >= 0x80n; rest >>= 7n) size++
  return size
}

/** As `writeVarint`, for any int64. */
export function writeVarlong(bytes: Buffer, position: number, value: bigint): number {
  let at = position
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest >= 0x80n; rest >>= 7n) bytes[at++] = Number(rest & 0x7fn) | 0x80
  bytes[at++] = Number(rest)
  return at
}
