import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { codecs } from '../../../src/protocol/records/batch.ts'
import { compress } from '../../../src/protocol/records/compression.ts'
import { RecordsError } from '../../../src/protocol/records/errors.ts'
import { legacyMessagesIn, readLegacyRecords } from '../../../src/protocol/records/legacy.ts'

/** One message of format 0 or 1, put together by hand. */
function messageOf(
  magic: number,
  offset: number,
  value: Buffer | null,
  attributes = 0,
  timestamp = 5n,
): Buffer {
  const head = Buffer.alloc(magic === 0 ? 18 : 26)
  head.writeBigInt64BE(BigInt(offset), 0)
  head.writeInt8(magic, 16)
  head.writeUInt8(attributes, 17)
  if (magic === 1) head.writeBigInt64BE(timestamp, 18)
  const tail = Buffer.alloc(8)
  tail.writeInt32BE(-1, 0)
  tail.writeInt32BE(value ? value.length : -1, 4)
  const bytes = Buffer.concat([head, tail, value ?? Buffer.alloc(0)])
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(16)), 12)
  return bytes
}

const read = (bytes: Buffer): unknown[] =>
  [...legacyMessagesIn(bytes)].flatMap(message => readLegacyRecords(message, { bodyLengthMax: 100_000 }))
const text = Buffer.from('text')

describe('a message set', () => {
  test('ends where a message is cut short', () => {
    const bytes = Buffer.concat([messageOf(1, 3, text), messageOf(1, 4, text)])
    for (let length = 0; length < bytes.length; length++) {
      expect([...legacyMessagesIn(bytes.subarray(0, length))].length).toBe(length < bytes.length / 2 ? 0 : 1)
    }
  })

  test('tells a damaged message by its checksum', () => {
    const bytes = messageOf(1, 3, text)
    expect([...legacyMessagesIn(bytes)][0]!.isSound).toBe(true)
    bytes[bytes.length - 1]! ^= 1
    expect([...legacyMessagesIn(bytes)][0]!.isSound).toBe(false)
  })

  test('has absolute offsets inside a wrapper of format 0, relative ones in format 1', () => {
    const inner = (magic: number): Buffer =>
      Buffer.concat([messageOf(magic, 0, text), messageOf(magic, 2, text)])
    expect(read(messageOf(0, 9, compress('gzip', inner(0)), 1))).toMatchObject([
      { offset: 0n },
      { offset: 2n },
    ])
    expect(read(messageOf(1, 9, compress('gzip', inner(1)), 1))).toMatchObject([
      { offset: 7n },
      { offset: 9n },
    ])
  })
})

describe('a wrapper is refused', () => {
  test.each([
    ['without a value', messageOf(1, 0, null, 1)],
    ['without messages', messageOf(1, 0, compress('gzip', Buffer.alloc(0)), 1)],
    ['with a message cut short', messageOf(1, 0, compress('gzip', messageOf(1, 0, text).subarray(0, -1)), 1)],
    ['with a message of another format', messageOf(1, 0, compress('gzip', messageOf(0, 0, text)), 1)],
    [
      'with a wrapper inside',
      messageOf(1, 0, compress('gzip', messageOf(1, 0, compress('gzip', text), 1)), 1),
    ],
    ['compressed with zstd', messageOf(1, 0, compress('zstd', messageOf(1, 0, text)), 4)],
    ['that is not compressed', messageOf(1, 0, text, 1)],
  ])('%s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(RecordsError)
  })
})

test.each([0, 1])('bad bytes in format %i are answered with RecordsError', magic => {
  const random = seededRandom(99)
  for (let round = 0; round < 3_000; round++) {
    const codec = round % 4
    const inner = Buffer.concat([
      messageOf(magic, 0, random.bytes(40)),
      messageOf(magic, 1, Buffer.alloc(90)),
    ])
    const bytes = messageOf(magic, 5, compress(codecs[codec]!, inner), codec)
    const from = round % 10 === 0 ? 0 : 17
    for (let change = random.below(4); change >= 0; change--) {
      bytes[from + random.below(bytes.length - from)] = random.below(256)
    }
    try {
      read(round % 7 === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes)
    } catch (error) {
      expect(error, `round ${round}`).toBeInstanceOf(RecordsError)
    }
  }
})
