import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  RecordCursor,
  sizeOfVarint,
  sizeOfVarlong,
  writeVarint,
  writeVarlong,
} from '../../../src/protocol/records/varint.ts'

const edges = [0, -1, 1, -64, 63, 64, -65, 8191, 8192, -8193, 2 ** 31 - 1, -(2 ** 31)]
const longEdges = [
  2n ** 48n,
  2n ** 52n + 1n,
  -7777463207452957n,
  2n ** 53n - 1n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]

function holdsAsVarint(value: number): void {
  const bytes = Buffer.alloc(8)
  const end = writeVarint(bytes, 0, value)
  expect(end).toBe(sizeOfVarint(value))
  const cursor = new RecordCursor(bytes)
  expect(cursor.varint()).toBe(value)
  expect(cursor.position).toBe(end)
}

function holdsAsVarlong(value: bigint): void {
  const bytes = Buffer.alloc(12)
  const end = writeVarlong(bytes, 0, value)
  expect(end).toBe(sizeOfVarlong(value))
  expect(new RecordCursor(bytes).varlong()).toBe(value)
  const cursor = new RecordCursor(bytes)
  const rounded = cursor.varlongRounded()
  expect(cursor.position).toBe(end)
  if (Number.isSafeInteger(Number(value))) expect(rounded).toBe(Number(value))
  else expect(rounded / Number(value)).toBeCloseTo(1, 14)
}

test('a varint is read as it was written, in the bytes foretold', () => {
  edges.forEach(holdsAsVarint)
  fc.assert(fc.property(fc.integer(), holdsAsVarint))
})

test('a varlong is read as it was written, in the bytes foretold', () => {
  edges.map(BigInt).forEach(holdsAsVarlong)
  longEdges.forEach(holdsAsVarlong)
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), holdsAsVarlong))
})

test('one too long is INVALID_RECORD', () => {
  const endless = Buffer.alloc(20, 0xff)
  expect(() => new RecordCursor(endless).varint()).toThrow(/longer than five/)
  expect(() => new RecordCursor(endless).varlong()).toThrow(/longer than ten/)
})

test('one that reaches past the end is noticed before anything is made of it', () => {
  for (const bytes of [Buffer.from('ffffff01', 'hex'), Buffer.from('ffff', 'hex')]) {
    const cut = new RecordCursor(bytes, 0, 2)
    cut.varint()
    expect(() => cut.skip(0)).toThrow(/past its record/)
    expect(() => cut.leave(2)).toThrow(/too early/)
  }
})
