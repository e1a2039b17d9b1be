import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readBigInt64, writeBigInt64 } from '../../src/protocol/int64.ts'

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
