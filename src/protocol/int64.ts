/**
 * int64 as the language has it. A Buffer's own methods put a bigint together, and take it apart, by arithmetic on bigints, which leaves
 * several of them for each number; a DataView over eight bytes does not, and by way of it every buffer can be served.
 */
const scratch = new DataView(new ArrayBuffer(8))

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
