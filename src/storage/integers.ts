import { writeBigInt64 } from '../protocol/int64.ts'

// Offsets, LSNs and block numbers stay below 2^53, and a number costs a quarter of a bigint. Times may be any int64: as
// numbers they are rounded alike on both sides of a comparison, which never turns its answer round.
const high = 2 ** 32

/** Eight bytes as a number. */
export function readUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * high + bytes.readUInt32BE(at + 4)
}

/** Writes a number from 0 to 2^53 - 1 into eight bytes. */
export function writeUint64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE(Math.floor(value / high), at)
  bytes.writeUInt32BE(value % high, at + 4)
}

/** Eight bytes with a sign as a number, rounded beyond 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * high + bytes.readUInt32BE(at + 4)
}

/** Writes a number into eight bytes with a sign; what rounding has taken out of range becomes the last in it. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  const last = 2 ** 63
  writeBigInt64(bytes, at, value >= last ? 2n ** 63n - 1n : BigInt(value))
}

/** A number as an int64; the greatest where it was rounded above all of them. */
export function toInt64(value: number): bigint {
  return value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value)
}
