import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { codecs } from '../../../src/protocol/records/batch.ts'
import { compress, decompress } from '../../../src/protocol/records/compression.ts'
import { RecordsError } from '../../../src/protocol/records/errors.ts'

const require = createRequire(import.meta.url)
const { compressSync } = require('snappy') as { compressSync: (bytes: Buffer) => Buffer }
const packed = codecs.slice(1)
const random = seededRandom(20_261_120)
const words = ['order', 'paid', 'sent', '{"id":', '}', 'ü', '\0', 'aaaaaaaaaaaaaaaa']
const text = (length: number): Buffer => {
  let made = ''
  while (made.length < length) made += words[random.below(words.length)]!
  return Buffer.from(made)
}
const bodies = [
  Buffer.alloc(0),
  Buffer.from('x'),
  Buffer.alloc(300_000, 7),
  random.bytes(70_000),
  text(200_000),
  Buffer.concat([random.bytes(40_000), text(40_000), Buffer.alloc(40_000)]),
]

/** What `decompress` answers, where anything but its own error is a failure of the test. */
function answerOf(codec: (typeof codecs)[number], bytes: Buffer, lengthMax: number): Buffer | RecordsError {
  try {
    return decompress(codec, bytes, lengthMax)
  } catch (error) {
    if (error instanceof RecordsError && error.code === 'CORRUPT_MESSAGE') return error
    throw error
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

describe.each(packed)('%s', codec => {
  test('gives back what it was given', () => {
    for (const body of bodies) {
      expect(decompress(codec, compress(codec, body), body.length).equals(body)).toBe(true)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), bytes => {
        const body = Buffer.from(bytes)
        expect(decompress(codec, compress(codec, body), body.length).equals(body)).toBe(true)
      }),
    )
  })

  test('refuses to become a byte more than is allowed', () => {
    for (const body of bodies.slice(2)) {
      const bytes = compress(codec, body)
      expect(answerOf(codec, bytes, body.length - 1)).toBeInstanceOf(RecordsError)
    }
  })

  test('refuses a bomb without making room for it', () => {
    const bomb = compress(codec, Buffer.alloc(64 * 1024 * 1024))
    const before = process.memoryUsage().arrayBuffers
    expect(answerOf(codec, bomb, 1024 * 1024)).toBeInstanceOf(RecordsError)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024)
  })

  test('answers every cut of a body', () => {
    const body = text(3_000)
    const bytes = compress(codec, body)
    for (let length = 0; length < bytes.length; length++) {
      const answer = answerOf(codec, bytes.subarray(0, length), body.length)
      if (Buffer.isBuffer(answer)) expect(body.subarray(0, answer.length).equals(answer)).toBe(true)
    }
  })

  test('answers changed and random bytes with bytes or CORRUPT_MESSAGE, never more than allowed', () => {
    const lengthMax = 100_000
    const sources = [compress(codec, text(2_000)), compress(codec, random.bytes(500)), random.bytes(300)]
    for (let round = 0; round < 3_000; round++) {
      const bytes = Buffer.from(sources[round % sources.length]!)
      for (let change = random.below(6); change >= 0; change--)
        bytes[random.below(bytes.length)] = random.below(256)
      const answer = answerOf(codec, bytes, lengthMax)
      if (Buffer.isBuffer(answer)) expect(answer.length).toBeLessThanOrEqual(lengthMax)
    }
  })
})

describe('snappy', () => {
  test('reads a bare block, as older clients write it', () => {
    for (const body of bodies) {
      expect(decompress('snappy', compressSync(body), body.length).equals(body)).toBe(true)
    }
  })

  test("writes the Java library's framing in blocks of at most 32 KiB", () => {
    const bytes = compress('snappy', text(100_000))
    expect(bytes.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
    expect(bytes.readInt32BE(16)).toBeLessThan(40_000)
  })

  test('reads one stream behind another', () => {
    const twice = Buffer.concat([compress('snappy', text(10)), compress('snappy', Buffer.from('end'))])
    expect(decompress('snappy', twice, 100).toString().endsWith('end')).toBe(true)
  })

  test('refuses a literal whose length would lead backwards, on which others loop for ever', () => {
    const bytes = Buffer.from('05fcfaffffff00000000', 'hex')
    expect(answerOf('snappy', bytes, 1_000)).toBeInstanceOf(RecordsError)
  })
})

describe('lz4', () => {
  test('writes a frame of independent blocks, which Java insists on', () => {
    const bytes = compress('lz4', text(300_000))
    expect(bytes.readUInt32LE(0)).toBe(0x184d2204)
    expect(bytes[4]! & 0x60).toBe(0x60)
  })

  test('reads blocks that depend on those before them', () => {
    // The letters as they are, then 19 bytes from 26 back, 20 with one literal behind them.
    const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz')
    const block = Buffer.from('0f1a00001021', 'hex')
    const frameOf = (flags: number): Buffer =>
      Buffer.concat([
        Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0]),
        uint32(letters.length + 0x80000000),
        letters,
        uint32(block.length),
        block,
        uint32(0),
      ])
    expect(decompress('lz4', frameOf(0x40), 100).toString()).toBe(
      'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs!',
    )
    expect(answerOf('lz4', frameOf(0x60), 100)).toBeInstanceOf(RecordsError)
  })
})

describe('gzip', () => {
  test('reads members one behind another', () => {
    const members = Buffer.concat([gzipSync('one '), gzipSync('two')])
    expect(decompress('gzip', members, 100).toString()).toBe('one two')
  })
})

describe('zstd', () => {
  test('reads frames one behind another and passes over those to be skipped', () => {
    const skipped = Buffer.from('502a4d1803000000aabbcc', 'hex')
    const frames = Buffer.concat([
      compress('zstd', Buffer.from('one ')),
      skipped,
      compress('zstd', Buffer.from('two')),
    ])
    expect(decompress('zstd', frames, 100).toString()).toBe('one two')
  })

  test('does not believe a frame that claims more than its blocks can hold', () => {
    // A single segment that claims 2^32 - 1 bytes, with one block of one repeated byte.
    const bytes = Buffer.from('28b52ffda0ffffffff0b000041', 'hex')
    expect(answerOf('zstd', bytes, 2 ** 40)).toBeInstanceOf(RecordsError)
  })
})
