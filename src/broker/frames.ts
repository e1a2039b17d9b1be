import type { Region, Slabs } from '../base/slabs.ts'
import { MalformedError } from '../protocol/reader.ts'

/** One request's bytes without their length. `hold` counts their memory; without it they are left to the collector. */
export interface Frame {
  readonly bytes: Buffer
  readonly hold: Region | undefined
}

const lengthLength = 4
const produceKey = 0
/** So many chunks may wait for the rest of their frame; beyond it small ones are joined. */
const chunksMax = 1024
/** Chunks that are smaller than this on average cost more than their bytes. */
const smallChunkLength = 1024

/**
 * Cuts a connection's bytes into frames. A frame that lies in one chunk is a view of it; one that spans chunks is
 * joined once all of it has arrived, so that memory is taken for what was sent and not for what was announced.
 * Only Produce is joined into counted memory: its records go on to the log from there, while what other requests
 * carry may be kept for long, in a group's metadata say.
 */
export class FrameReader {
  readonly #slabs: Slabs
  readonly #lengthMax: number
  #chunks: Buffer[] = []
  /** Where in the first chunk the next frame begins. */
  #offset = 0
  #buffered = 0

  /** `lengthMax`: Kafka's `socket.request.max.bytes`. */
  constructor(slabs: Slabs, lengthMax: number) {
    this.#slabs = slabs
    this.#lengthMax = lengthMax
  }

  /** Bytes that have arrived and are in no frame yet. */
  get buffered(): number {
    return this.#buffered
  }

  /** Chunks that those bytes are kept in: few, however small the peer's are. */
  get chunkCount(): number {
    return this.#chunks.length
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    const count = this.#chunks.length
    if (count <= chunksMax || this.#buffered > count * smallChunkLength) return
    this.#chunks = [Buffer.concat(this.#chunks).subarray(this.#offset)]
    this.#offset = 0
  }

  /** The next whole frame. Throws MalformedError when what arrived cannot be one. */
  next(): Frame | undefined {
    if (this.#buffered < lengthLength) return undefined
    const length = this.#peek(lengthLength).readInt32BE(0)
    if (length <= 0 || length > this.#lengthMax) throw new MalformedError(this.#describeLength(length))
    if (this.#buffered < lengthLength + length) return undefined
    this.#advance(lengthLength)

    const first = this.#chunks[0]!
    if (first.length - this.#offset >= length) {
      const bytes = first.subarray(this.#offset, this.#offset + length)
      this.#advance(length)
      return { bytes, hold: undefined }
    }
    const isProduce = length >= 2 && this.#peek(2).readInt16BE(0) === produceKey
    const hold = isProduce ? this.#slabs.take(length) : undefined
    const bytes = hold ? hold.bytes : Buffer.allocUnsafe(length)
    this.#fill(bytes)
    return { bytes, hold }
  }

  /** The first `length` bytes, without taking them. */
  #peek(length: number): Buffer {
    const first = this.#chunks[0]!
    if (first.length - this.#offset >= length) return first.subarray(this.#offset, this.#offset + length)
    return Buffer.concat([first.subarray(this.#offset), ...this.#chunks.slice(1, 1 + length)]).subarray(
      0,
      length,
    )
  }

  #fill(target: Buffer): void {
    let filled = 0
    for (let index = 0, from = this.#offset; filled < target.length; index++, from = 0) {
      filled += this.#chunks[index]!.copy(target, filled, from)
    }
    this.#advance(target.length)
  }

  #advance(length: number): void {
    this.#offset += length
    this.#buffered -= length
    let passed = 0
    while (passed < this.#chunks.length && this.#offset >= this.#chunks[passed]!.length) {
      this.#offset -= this.#chunks[passed++]!.length
    }
    if (passed > 0) this.#chunks.splice(0, passed)
  }

  /** Says what the peer seems to be speaking; the four bytes of its greeting were read as a length. */
  #describeLength(length: number): string {
    const start = this.#peek(lengthLength)
    const isTls = start[0] === 0x16 && start[1] === 0x03
    if (isTls) return 'a TLS handshake on a plaintext listener'
    const word = start.toString('latin1')
    if (/^(GET|POST|PUT|HEAD|OPTI|DELE|PRI|CONN|PATC|TRAC)/.test(word))
      return 'an HTTP request on a Kafka listener'
    if (word.startsWith('SSH-')) return 'an SSH greeting on a Kafka listener'
    if (length <= 0) return `a frame length of ${length}`
    return `a frame of ${length} bytes; socket.request.max.bytes is ${this.#lengthMax}`
  }
}
