import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { crc32c, crc32cSliced } from '../../../src/protocol/records/crc32c.ts'

test('agrees with the published check value of CRC-32C', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32cSliced(Buffer.from('123456789'))).toBe(0xe3069283)
})

test('is zero for no bytes', () => {
  expect(crc32c(Buffer.alloc(0))).toBe(0)
})

test('native and plain code agree at every length and place', () => {
  const bytes = seededRandom(1).bytes(1_200)
  for (let length = 0; length < 400; length++) {
    const start = length % 13
    expect(crc32c(bytes, start, start + length)).toBe(crc32cSliced(bytes, start, start + length))
  }
  expect(crc32c(bytes)).toBe(crc32cSliced(bytes))
})
