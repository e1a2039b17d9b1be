import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { Slabs } from '../../src/base/slabs.ts'
import { FrameReader } from '../../src/broker/frames.ts'
import { RequestMemory } from '../../src/broker/request-memory.ts'
import { MalformedError } from '../../src/protocol/reader.ts'
import { memoryInUse } from '../support/fuzz.ts'

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
  return { slabs, frames: new FrameReader(slabs, new RequestMemory(-1), lengthMax) }
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

/** Lends a chunk, as a socket does that overwrites it afterwards, and gives the frames that it completes. */
function feed(frames: FrameReader, chunk: Buffer): string[] {
  const lent = Buffer.from(chunk)
  frames.push(lent)
  const drained = drain(frames)
  frames.keep()
  lent.fill(0xee)
  return drained
}

/** The same while no request can be served. */
function feedWaiting(frames: FrameReader, chunk: Buffer): void {
  const lent = Buffer.from(chunk)
  frames.push(lent)
  frames.keep()
  lent.fill(0xee)
}

/** As much of `bytes` as a socket would read at once: to where they belong, if that is known, and else lent. */
function read(frames: FrameReader, bytes: Buffer): { length: number; isInPlace: boolean; drained: string[] } {
  const room = frames.room()
  if (!room) return { length: bytes.length, isInPlace: false, drained: feed(frames, bytes) }
  const length = bytes.copy(room)
  frames.fill(length)
  return { length, isInPlace: true, drained: drain(frames) }
}

/** What is to come out of a frame. */
function bodyOf(frame: Buffer): string {
  return frame.toString('hex', 4)
}

describe('cutting', () => {
  test('gives the frames of one chunk in their order', () => {
    const { frames } = setup()
    const sent = [frameOf(metadataKey, 10), frameOf(produceKey, 1), frameOf(metadataKey, 300)]
    expect(feed(frames, Buffer.concat(sent))).toEqual(sent.map(bodyOf))
    expect(frames.buffered).toBe(0)
  })

  test('leaves a produce where it lies when it came whole', () => {
    const { frames, slabs } = setup()
    const chunk = frameOf(produceKey, 5000)
    frames.push(chunk)
    const { bytes, hold } = frames.next()!
    expect(bytes.buffer).toBe(chunk.buffer)
    expect(hold).toBeUndefined()
    expect(slabs.takenLength).toBe(0)
  })

  test.each([produceKey, metadataKey])('joins a frame of API %i that comes byte by byte', key => {
    const { frames } = setup()
    const sent = frameOf(key, 5000)
    for (const byte of sent.subarray(0, -1)) expect(feed(frames, Buffer.of(byte))).toEqual([])
    expect(feed(frames, sent.subarray(-1))).toEqual([bodyOf(sent)])
    expect(frames.buffered).toBe(0)
  })

  test('gives the same frames wherever the chunks are cut and whenever they are asked for', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed)
      const sent = Array.from({ length: 20 }, () =>
        frameOf(random.below(4), 1 + random.below(random.below(2) === 0 ? 40 : 5000)),
      )
      const bytes = Buffer.concat(sent)
      const { frames, slabs } = setup()
      const received: string[] = []
      for (let at = 0; at < bytes.length;) {
        const chunk = bytes.subarray(at, at + 1 + random.below(random.below(3) === 0 ? 3 : 9000))
        at += chunk.length
        if (random.below(4) === 0) feedWaiting(frames, chunk)
        else received.push(...feed(frames, chunk))
      }
      received.push(...drain(frames))
      expect(received, `seed ${seed}`).toEqual(sent.map(bodyOf))
      expect(frames.buffered).toBe(0)
      // At most the slab that is being filled.
      expect(slabs.takenLength).toBeLessThanOrEqual(1024 * 1024)
    }
  })

  test.each([produceKey, metadataKey])(
    'has the rest of a long frame of API %i read to where it belongs',
    key => {
      const { frames } = setup()
      const sent = frameOf(key, 700_000)
      expect(frames.room()).toBeUndefined()
      expect(read(frames, sent.subarray(0, 20_000))).toEqual({
        length: 20_000,
        isInPlace: false,
        drained: [],
      })
      const second = read(frames, sent.subarray(20_000))
      expect(second.isInPlace).toBe(true)
      expect(second.drained).toEqual([])
      const rest = sent.subarray(20_000 + second.length)
      expect(read(frames, rest.subarray(0, 100))).toEqual({ length: 100, isInPlace: true, drained: [] })
      const third = read(frames, rest.subarray(100))
      const last = read(frames, rest.subarray(100 + third.length))
      expect([...third.drained, ...last.drained]).toEqual([bodyOf(sent)])
      expect(frames.room()).toBeUndefined()
    },
  )

  test('has nothing read ahead of bytes that wait', () => {
    const { frames } = setup()
    const sent = frameOf(produceKey, 700_000)
    feed(frames, sent.subarray(0, 20_000))
    feedWaiting(frames, sent.subarray(20_000, 20_100))
    expect(frames.room()).toBeUndefined()
    expect(feed(frames, sent.subarray(20_100))).toEqual([bodyOf(sent)])
  })

  test('gives the same frames whatever of them was read to where it belongs', () => {
    let inPlaceCount = 0
    for (let seed = 0; seed < 20; seed++) {
      const random = seededRandom(seed)
      const sent = Array.from({ length: 10 }, () =>
        frameOf(random.below(4), 1 + random.below(random.below(2) === 0 ? 5000 : 900_000)),
      )
      const bytes = Buffer.concat(sent)
      const { frames, slabs } = setup()
      const received: string[] = []
      for (let at = 0; at < bytes.length;) {
        const chunk = bytes.subarray(at, at + 1 + random.below(random.below(3) === 0 ? 3 : 300_000))
        if (random.below(8) === 0) {
          feedWaiting(frames, chunk)
          at += chunk.length
          continue
        }
        const { length, isInPlace, drained } = read(frames, chunk)
        at += length
        if (isInPlace) inPlaceCount++
        received.push(...drained)
      }
      received.push(...drain(frames))
      expect(received, `seed ${seed}`).toEqual(sent.map(bodyOf))
      expect(slabs.takenLength).toBeLessThanOrEqual(1024 * 1024)
    }
    expect(inPlaceCount).toBeGreaterThan(100)
  })

  test.each([produceKey, metadataKey])('takes a frame of API %i of the greatest length', key => {
    const { frames } = setup()
    const sent = frameOf(key, lengthMax)
    expect(feed(frames, sent.subarray(0, 100))).toEqual([])
    expect(feed(frames, sent.subarray(100, 200_000))).toEqual([])
    expect(feed(frames, sent.subarray(200_000))).toEqual([bodyOf(sent)])
  })
})

describe('memory', () => {
  test('counts a produce that spans chunks, and nothing else', () => {
    const { frames, slabs } = setup()
    const other = frameOf(metadataKey, 100)
    expect(feed(frames, other.subarray(0, 9))).toEqual([])
    frames.push(other.subarray(9))
    expect(frames.next()!.hold).toBeUndefined()
    expect(slabs.takenLength).toBe(0)

    const produce = frameOf(produceKey, 600_000)
    expect(feed(frames, produce.subarray(0, 300_000))).toEqual([])
    frames.push(produce.subarray(300_000))
    const { bytes, hold } = frames.next()!
    expect(bytes).toHaveLength(600_000)
    expect(slabs.takenLength).toBeGreaterThanOrEqual(600_000)
    hold!.release()
    expect(slabs.takenLength).toBe(0)
  })

  test('is not taken for what is announced and not sent', () => {
    const slabs = new Slabs()
    const announced = frameOf(produceKey, lengthMax).subarray(0, 20)
    for (let index = 0; index < 200; index++)
      feed(new FrameReader(slabs, new RequestMemory(-1), lengthMax), announced)
    expect(slabs.takenLength).toBeLessThan(200 * 70_000)
  })

  test('comes back when the connection ends within a frame', () => {
    const { frames, slabs } = setup()
    feed(frames, frameOf(produceKey, 600_000).subarray(0, 500_000))
    expect(slabs.takenLength).toBeGreaterThan(0)
    frames.close()
    expect(slabs.takenLength).toBe(0)
    expect(frames.buffered).toBe(0)
  })

  test('is in proportion to tiny chunks that have to wait', () => {
    const { frames } = setup()
    const sent = frameOf(metadataKey, 100_000)
    const before = memoryInUse()
    for (const byte of sent) feedWaiting(frames, Buffer.of(byte))
    expect(frames.buffered).toBe(sent.length)
    expect(memoryInUse() - before).toBeLessThan(20 * sent.length)
    expect(drain(frames)).toEqual([bodyOf(sent)])
  })
})

function cutEvery(bytes: Buffer, length: number): Buffer[] {
  const count = Math.ceil(bytes.length / length)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length))
}

describe('memory that is shared', () => {
  const mebibyte = 1024 * 1024
  test('runs out for all but the eldest, who always can go on', () => {
    const slabs = new Slabs()
    const memory = new RequestMemory(3 * mebibyte)
    const [elder, younger] = [1, 2].map(() => new FrameReader(slabs, memory, 100 * mebibyte))
    const sent = frameOf(produceKey, 10 * mebibyte)
    const chunks = cutEvery(sent, 64 * 1024)
    const received: string[] = []
    let isFreed = false
    feed(elder!, chunks[0]!)
    feed(elder!, chunks[1]!)
    for (const chunk of chunks.slice(0, 40)) feed(younger!, chunk)
    expect(younger!.isStarved).toBe(true)
    memory.onceFreed(() => (isFreed = true))
    for (const chunk of chunks.slice(2)) received.push(...feed(elder!, chunk))
    expect(elder!.isStarved).toBe(false)
    expect(isFreed).toBe(true)
    for (const chunk of chunks.slice(40)) received.push(...feed(younger!, chunk))
    expect(younger!.isStarved).toBe(false)
    expect(received.map(frame => frame === bodyOf(sent))).toEqual([true, true])
    // At most the slab that is being filled.
    expect(slabs.takenLength).toBeLessThanOrEqual(mebibyte)
  })

  test('is not waited for by who has closed', () => {
    const memory = new RequestMemory(mebibyte)
    const [elder, younger] = [1, 2].map(() => new FrameReader(new Slabs(), memory, 100 * mebibyte))
    const chunks = cutEvery(frameOf(produceKey, 10 * mebibyte).subarray(0, mebibyte), 64 * 1024)
    for (const frames of [elder!, younger!]) for (const chunk of chunks) feed(frames, chunk)
    expect(younger!.isStarved).toBe(true)
    younger!.close()
    expect(younger!.isStarved).toBe(false)
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
    for (const byte of bytes.subarray(0, 3)) expect(feed(frames, Buffer.of(byte))).toEqual([])
    frames.push(bytes.subarray(3))
    expect(() => frames.next()).toThrow(reason)
  })
})
