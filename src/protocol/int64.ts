/**
 * int64 as a bigint and as a number. A Buffer's own methods put a bigint together, and take it apart, by arithmetic on bigints, which
 * leaves several of them for each number; a DataView over eight bytes does not, and by way of it every buffer can be served.
 *
 * Offsets, LSNs and block numbers stay below 2^53, and a number costs a quarter of a bigint. Times may be any int64: as
 * numbers they are rounded alike on both sides of a comparison, which never turns its answer round.
 */
const scratch = new DataView(new ArrayBuffer(8))
const high = 2 ** 32

/** Eight big-endian bytes with a sign. Throws where they are not all there. */
export function readBigInt64(bytes: Buffer, at: number): bigint {
  scratch.setInt32(0, bytes.readInt32BE(at))
  scratch.setInt32(4, bytes.readInt32BE(at + 4))
  return scratch.getBigInt64(0)
}

/** Writes `value` as eight big-endian bytes. Throws RangeError where it is no int64. */
export function writeBigInt64(bytes: Buffer, at: number, value: bigint): void {
  scratch.setBigInt64(0, value)
  if (scratch.getBigInt64(0) !== value) throw new RangeError(`${value} is no int64`)
  bytes.writeInt32BE(scratch.getInt32(0), at)
  bytes.writeInt32BE(scratch.getInt32(4), at + 4)
}

/** Eight bytes with a sign as a number, rounded beyond 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * high + bytes.readUInt32BE(at + 4)
}

/** Writes a number into eight bytes with a sign; what rounding has taken out of range becomes the last in it. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value)) return writeBigInt64(bytes, at, toInt64(value))
  bytes.writeInt32BE(Math.floor(value / high), at)
  bytes.writeUInt32BE(value >>> 0, at + 4)
}

/** Eight bytes as a number. */
export function readUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * high + bytes.readUInt32BE(at + 4)
}

/** Writes a number from 0 to 2^53 - 1 into eight bytes. */
export function writeUint64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE(Math.floor(value / high), at)
  bytes.writeUInt32BE(value >>> 0, at + 4)
}

/** A number as an int64; the greatest where it was rounded above all of them. Throws RangeError where it is no integer. */
export function toInt64(value: number): bigint {
  return value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value)
}
