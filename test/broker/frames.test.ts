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

/** What is to come out of a frame. */
function bodyOf(frame: Buffer): string {
  return frame.toString('hex', 4)
}

describe('cutting', () => {
  test('gives the frames of one chunk in their order, as views of it', () => {
    const { frames } = setup()
    const sent = [frameOf(metadataKey, 10), frameOf(produceKey, 1), frameOf(metadataKey, 300)]
    const chunk = Buffer.concat(sent)
    frames.push(chunk)
    const first = frames.next()!
    expect(first.bytes.buffer).toBe(chunk.buffer)
    expect(first.hold).toBeUndefined()
    expect([first.bytes.toString('hex'), ...drain(frames)]).toEqual(sent.map(bodyOf))
    expect(frames.buffered).toBe(0)
  })

  test.each([produceKey, metadataKey])('joins a frame of API %i that comes byte by byte', key => {
    const { frames } = setup()
    const sent = frameOf(key, 5000)
    for (const [index, byte] of sent.entries()) {
      expect(frames.next()).toBeUndefined()
      expect(frames.buffered).toBe(index)
      frames.push(Buffer.of(byte))
    }
    expect(drain(frames)).toEqual([bodyOf(sent)])
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
        frames.push(bytes.subarray(at, at + length))
        at += length
        received.push(...drain(frames))
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
    frames.push(sent.subarray(0, 100_000))
    frames.push(sent.subarray(100_000))
    expect(drain(frames)).toEqual([bodyOf(sent)])
  })
})

describe('memory', () => {
  test('counts a produce that spans chunks, and nothing else', () => {
    const { frames, slabs } = setup()
    const cut = (frame: Buffer): void => {
      frames.push(frame.subarray(0, 9))
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

  test('takes none for what is announced and not sent', () => {
    const { frames, slabs } = setup()
    frames.push(frameOf(produceKey, lengthMax).subarray(0, 6))
    expect(frames.next()).toBeUndefined()
    expect(slabs.takenLength).toBe(0)
    expect(frames.buffered).toBe(6)
  })

  test('keeps no object for each of many tiny chunks', () => {
    const { frames } = setup()
    const sent = frameOf(metadataKey, 300_000)
    for (const byte of sent) frames.push(Buffer.of(byte))
    expect(frames.chunkCount).toBeLessThan(2000)
    expect(drain(frames)).toEqual([bodyOf(sent)])
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
    for (const byte of bytes.subarray(0, 3)) frames.push(Buffer.of(byte))
    expect(frames.next()).toBeUndefined()
    frames.push(bytes.subarray(3))
    expect(() => frames.next()).toThrow(reason)
  })
})
