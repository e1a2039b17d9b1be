import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  readBigInt64,
  readInt64,
  readUint64,
  writeBigInt64,
  writeInt64,
  writeUint64,
} from '../../src/protocol/int64.ts'

const greatest = 2n ** 63n - 1n
const least = -(2n ** 63n)

test("reads and writes as a Buffer's own methods do", () => {
  const values = fc.oneof(fc.bigInt(least, greatest), fc.constantFrom(0n, -1n, 2n ** 32n, greatest, least))
  fc.assert(
    fc.property(values, fc.nat({ max: 8 }), (value, at) => {
      const own = Buffer.alloc(16)
      own.writeBigInt64BE(value, at)
      const written = Buffer.alloc(16)
      writeBigInt64(written, at, value)
      expect(written).toEqual(own)
      expect(readBigInt64(own, at)).toBe(value)
    }),
  )
})

test.each([greatest + 1n, least - 1n])('refuses %s, which is no int64', value => {
  expect(() => writeBigInt64(Buffer.alloc(8), 0, value)).toThrow(RangeError)
})

test.each([1, -1])('neither reads nor writes beyond the buffer, at %i', at => {
  expect(() => readBigInt64(Buffer.alloc(8), at)).toThrow(RangeError)
  expect(() => writeBigInt64(Buffer.alloc(8), at, 1n)).toThrow(RangeError)
})

test('writes and reads numbers as the bigints that they stand for', () => {
  const edges = fc.constantFrom(0, -1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, 1 - 2 ** 53, 2 ** 62, -(2 ** 63))
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), edges), fc.nat({ max: 8 }), (value, at) => {
      const bytes = Buffer.alloc(16)
      writeInt64(bytes, at, value)
      expect(readBigInt64(bytes, at)).toBe(BigInt(value))
      expect(readInt64(bytes, at)).toBe(value)
    }),
  )
  fc.assert(
    fc.property(fc.maxSafeNat(), value => {
      const bytes = Buffer.alloc(8)
      writeUint64(bytes, 0, value)
      expect(bytes.readBigUInt64BE()).toBe(BigInt(value))
      expect(readUint64(bytes, 0)).toBe(value)
    }),
  )
})

test('a number that was rounded above every int64 becomes the greatest of them', () => {
  const bytes = Buffer.alloc(8)
  writeInt64(bytes, 0, Number(greatest))
  expect(readBigInt64(bytes, 0)).toBe(greatest)
})
