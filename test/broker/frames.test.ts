import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { Slabs } from '../../src/base/slabs.ts'
import { FrameReader } from '../../src/broker/frames.ts'
import { MalformedError } from '../../src/protocol/reader.ts'

const lengthMax = 1024 * 1024
const produceKey = 0
const metadataKey = 3

/** A frame of `length` bytes behind its length, beginning with an API key. */
function frameOf(key: number, length: number): Buffer {
  const bytes = Buffer.alloc(4 + length, key + 1)
  bytes.writeInt32BE(length, 0)
  if (length >= 2) bytes.writeInt16BE(key, 4)
  return bytes
}

function setup(): { slabs: Slabs; frames: FrameReader } {
  const slabs = new Slabs()
  return { slabs, frames: new FrameReader(slabs, lengthMax) }
}

/** Every whole frame's bytes in hex; their memory is given back. */
function drain(frames: FrameReader): string[] {
  const drained: string[] = []
  for (let frame = frames.next(); frame; frame = frames.next()) {
    drained.push(frame.bytes.toString('hex'))
    frame.hold?.release()
  }
  return drained
}

/** Pushes a chunk as a socket does that reads its next one into the same memory; returns the frames that were whole by then. */
function lend(frames: FrameReader, chunk: Buffer): string[] {
  const memory = Buffer.from(chunk)
  frames.push(memory)
  const drained = drain(frames)
  frames.keep()
  memory.fill(0xdd)
  return drained
}

/** What is to come out of a frame. */
function bodyOf(frame: Buffer): string {
  return frame.toString('hex', 4)
}

describe('cutting', () => {
  test('gives the frames of one chunk in their order: Produce as a view of it, others as their own', () => {
    const { frames } = setup()
    const sent = [frameOf(produceKey, 10), frameOf(metadataKey, 1), frameOf(metadataKey, 300)]
    const chunk = Buffer.concat(sent)
    frames.push(chunk)
    const [first, second, third] = [frames.next()!, frames.next()!, frames.next()!]
    expect(first.bytes).toEqual(sent[0]!.subarray(4))
    expect(first.hold).toBeUndefined()
    chunk.fill(0xdd)
    expect(first.bytes.every(byte => byte === 0xdd)).toBe(true)
    expect([second, third].map(({ bytes }) => bytes.toString('hex'))).toEqual(sent.slice(1).map(bodyOf))
    expect(frames.buffered).toBe(0)
  })

  test.each([produceKey, metadataKey])('joins a frame of API %i that comes byte by byte', key => {
    const { frames } = setup()
    const sent = frameOf(key, 5000)
    const received = [...sent].flatMap(byte => lend(frames, Buffer.of(byte)))
    expect(received).toEqual([bodyOf(sent)])
    expect(frames.buffered).toBe(0)
  })

  test('gives the same frames wherever the chunks are cut', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed)
      const sent = Array.from({ length: 20 }, () =>
        frameOf(random.below(4), 1 + random.below(random.below(2) === 0 ? 40 : 5000)),
      )
      const bytes = Buffer.concat(sent)
      const { frames, slabs } = setup()
      const received: string[] = []
      for (let at = 0; at < bytes.length;) {
        const length = 1 + random.below(random.below(3) === 0 ? 3 : 9000)
        received.push(...lend(frames, bytes.subarray(at, at + length)))
        at += length
      }
      expect(received, `seed ${seed}`).toEqual(sent.map(bodyOf))
      expect(frames.buffered).toBe(0)
      // At most the slab that is being filled.
      expect(slabs.takenLength).toBeLessThanOrEqual(1024 * 1024)
    }
  })

  test('takes a frame of the greatest length', () => {
    const { frames } = setup()
    const sent = frameOf(metadataKey, lengthMax)
    expect(lend(frames, sent.subarray(0, 100_000))).toEqual([])
    expect(lend(frames, sent.subarray(100_000))).toEqual([bodyOf(sent)])
  })

  test('gives what came while nothing could be served, later', () => {
    const { frames } = setup()
    const sent = [frameOf(metadataKey, 50), frameOf(produceKey, 5000), frameOf(produceKey, 70)]
    for (const chunk of cutEvery(Buffer.concat(sent), 1000)) {
      frames.push(chunk)
      frames.keep()
    }
    expect(frames.buffered).toBe(Buffer.concat(sent).length)
    expect(drain(frames)).toEqual(sent.map(bodyOf))
    expect(frames.buffered).toBe(0)
  })
})

function cutEvery(bytes: Buffer, length: number): Buffer[] {
  const count = Math.ceil(bytes.length / length)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length))
}

describe('memory', () => {
  test('counts a produce that spans chunks, and nothing else', () => {
    const { frames, slabs } = setup()
    const cut = (frame: Buffer): void => {
      frames.push(frame.subarray(0, 9))
      expect(frames.next()).toBeUndefined()
      frames.keep()
      frames.push(frame.subarray(9))
    }
    cut(frameOf(metadataKey, 100))
    expect(frames.next()!.hold).toBeUndefined()
    expect(slabs.takenLength).toBe(0)
    cut(frameOf(produceKey, 600_000))
    const { bytes, hold } = frames.next()!
    expect(bytes).toHaveLength(600_000)
    expect(slabs.takenLength).toBeGreaterThanOrEqual(600_000)
    hold!.release()
    expect(slabs.takenLength).toBe(0)
  })

  test('grows with what has come, not with what was announced', () => {
    const slabs = new Slabs()
    const mebibyte = 1024 * 1024
    const frames = new FrameReader(slabs, 100 * mebibyte)
    const sent = frameOf(produceKey, 50 * mebibyte)
    const received: string[] = []
    for (const chunk of cutEvery(sent.subarray(0, 3 * mebibyte), 64 * 1024))
      received.push(...lend(frames, chunk))
    expect(received).toEqual([])
    expect(slabs.takenLength).toBeLessThanOrEqual(4 * mebibyte)
    for (const chunk of cutEvery(sent.subarray(3 * mebibyte), mebibyte)) received.push(...lend(frames, chunk))
    expect(received).toHaveLength(1)
    expect(slabs.takenLength).toBe(0)
  })

  test('is given back when the connection ends within a frame', () => {
    const { frames, slabs } = setup()
    lend(frames, frameOf(produceKey, lengthMax).subarray(0, 400_000))
    expect(slabs.takenLength).toBeGreaterThan(0)
    frames.close()
    expect(slabs.takenLength).toBe(0)
  })
})

describe('what cannot be a frame', () => {
  const greetings: [string, Buffer, RegExp][] = [
    ['a length of zero', Buffer.from('00000000', 'hex'), /^a frame length of 0$/],
    ['a negative length', Buffer.from('ffffffff', 'hex'), /^a frame length of -1$/],
    ['the least length', Buffer.from('80000000', 'hex'), /^a frame length of -2147483648$/],
    [
      'one byte too many',
      Buffer.from('00100001', 'hex'),
      /1048577 bytes; socket\.request\.max\.bytes is 1048576/,
    ],
    ['the greatest length', Buffer.from('7fffffff', 'hex'), /2147483647 bytes/],
    ['a TLS handshake', Buffer.from('1603010200', 'hex'), /TLS/],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n'), /HTTP/],
    ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n'), /HTTP/],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH\r\n'), /SSH/],
  ]
  test.each(greetings)('says why: %s', (_, bytes, reason) => {
    const whole = setup().frames
    whole.push(bytes)
    expect(() => whole.next()).toThrow(MalformedError)
    const { frames } = setup()
    for (const byte of bytes.subarray(0, 3)) expect(lend(frames, Buffer.of(byte))).toEqual([])
    frames.push(bytes.subarray(3))
    expect(() => frames.next()).toThrow(reason)
  })
})
