import { expect, test } from 'vitest'
import { digest } from '../../src/base/digest.ts'

test('a digest is SHA-256: that of "abc" is the one of FIPS 180-2', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(digest(Buffer.from('abc')).toString('hex')).toBe(expected)
})
