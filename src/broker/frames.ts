import type { Region, Slabs } from '../base/slabs.ts'
import { MalformedError } from '../protocol/reader.ts'
import type { RequestMemory } from './request-memory.ts'

/** One request's bytes without their length. `hold` counts their memory; a Produce without one is valid for this turn only. */
export interface Frame {
  readonly bytes: Buffer
  readonly hold: Region | undefined
}

/** A frame of which some bytes are still to come. Its memory grows with what has come, not with what was announced. */
interface Partial {
  readonly length: number
  readonly isProduce: boolean
  bytes: Buffer
  hold: Region | undefined
  filled: number
}

const lengthLength = 4
/** The length and the API key, which say all that must be known to keep a frame. */
const headLength = 6
const produceKey = 0
/** Memory taken for a frame of which little has come, and how many times more than what has come is taken. */
const granted = { lengthMin: 64 * 1024, factor: 64 }
/** Shorter frames lie whole in one chunk as a rule, and more reads would cost more than the copy of those that do not. */
const longLengthMin = 256 * 1024
/** No read is longer: the peer writes on while what was read is looked at. */
const readLengthMax = 256 * 1024
/** Up to this length bytes that have to wait are joined, so that tiny chunks cost their bytes and not an object each. */
const joinedLengthMax = 64 * 1024

/**
 * Cuts a connection's bytes into frames. Chunks are lent: the socket reads the next one into the same memory. So what a
 * request may keep is copied out of them, once. Produce that lies whole in its chunk stays there, since the log copies
 * what it takes; longer ones are joined in counted memory, which the log takes over. Other requests get memory of their
 * own, for what they carry may be kept for long, in a group's metadata say. The rest of a long frame is not lent and copied, but
 * read to where it belongs.
 */
export class FrameReader {
  readonly #slabs: Slabs
  readonly #lengthMax: number
  readonly #memory: RequestMemory
  /** Bytes that came while no request could be served. */
  readonly #waiting: Buffer[] = []
  /** The rest of the chunk that is lent, empty outside of `push` to `keep`. */
  #lent: Buffer = nothing
  #partial: Partial | undefined
  #isStarved = false

  /** `lengthMax`: Kafka's `socket.request.max.bytes`. */
  constructor(slabs: Slabs, memory: RequestMemory, lengthMax: number) {
    this.#slabs = slabs
    this.#memory = memory
    this.#lengthMax = lengthMax
  }

  /** The frame under way cannot go on before there is memory for it. */
  get isStarved(): boolean {
    return this.#isStarved
  }

  /** Bytes that have arrived and belong to no frame yet. */
  get buffered(): number {
    return this.#waiting.reduce((sum, { length }) => sum + length, this.#lent.length)
  }

  /** Where the next bytes belong: the rest of a long frame under way, as far as there is memory for it. */
  room(): Buffer | undefined {
    if (!this.#partial || this.#partial.length < longLengthMin || this.buffered > 0) return undefined
    const { bytes, filled } = this.#partial
    return filled < bytes.length ? bytes.subarray(filled, filled + readLengthMax) : undefined
  }

  /** So many bytes have come to where `room` said. */
  fill(length: number): void {
    this.#partial!.filled += length
  }

  /** Takes a chunk that is the caller's again after `keep`. */
  push(chunk: Buffer): void {
    this.#lent = chunk
  }

  /** Copies what is left of the chunk that was lent. */
  keep(): void {
    const last = this.#waiting.at(-1)
    if (last && last.length + this.#lent.length <= joinedLengthMax)
      this.#waiting.splice(-1, 1, Buffer.concat([last, this.#lent]))
    else if (this.#lent.length > 0) this.#waiting.push(Buffer.from(this.#lent))
    this.#lent = nothing
  }

  /** Gives up what was begun. */
  close(): void {
    this.#partial?.hold?.release()
    this.#partial = undefined
    this.#isStarved = false
    this.#memory.give(this)
    this.#waiting.length = 0
  }

  /** The next whole frame. Throws MalformedError when what arrived cannot be one. */
  next(): Frame | undefined {
    if (!this.#partial) {
      const head = this.#peek(headLength)
      if (head.length < lengthLength) return undefined
      const length = head.readInt32BE(0)
      if (length <= 0 || length > this.#lengthMax) throw new MalformedError(this.#describeLength(length))
      if (head.length < Math.min(headLength, lengthLength + length)) return undefined
      const isProduce = length >= 2 && head.readInt16BE(lengthLength) === produceKey
      this.#advance(lengthLength)
      if (isProduce && this.#waiting.length === 0 && this.#lent.length >= length) {
        const bytes = this.#lent.subarray(0, length)
        this.#advance(length)
        return { bytes, hold: undefined }
      }
      this.#partial = this.#begin(length, isProduce)
    }
    return this.#join(this.#partial)
  }

  #begin(length: number, isProduce: boolean): Partial {
    const wanted = Math.min(length, Math.max(granted.lengthMin, granted.factor * this.buffered))
    const isMore = wanted > granted.lengthMin && this.#memory.take(this, wanted)
    const taken = isMore ? wanted : Math.min(length, granted.lengthMin)
    const hold = isProduce ? this.#slabs.take(taken) : undefined
    return { length, isProduce, bytes: hold?.bytes ?? Buffer.allocUnsafe(taken), hold, filled: 0 }
  }

  #join(partial: Partial): Frame | undefined {
    while (partial.filled < partial.length) {
      const source = this.#waiting[0] ?? this.#lent
      if (source.length === 0) return undefined
      if (partial.filled === partial.bytes.length && !this.#grow(partial)) return undefined
      const copied = source.copy(partial.bytes, partial.filled)
      partial.filled += copied
      this.#advance(copied)
    }
    this.#partial = undefined
    this.#memory.give(this)
    return { bytes: partial.bytes, hold: partial.hold }
  }

  #grow(partial: Partial): boolean {
    const length = Math.min(partial.length, granted.factor * partial.bytes.length)
    this.#isStarved = !this.#memory.take(this, length)
    if (this.#isStarved) return false
    const hold = partial.isProduce ? this.#slabs.take(length) : undefined
    const bytes = hold?.bytes ?? Buffer.allocUnsafe(length)
    partial.bytes.copy(bytes)
    partial.hold?.release()
    Object.assign(partial, { bytes, hold })
    return true
  }

  /** Up to `length` bytes from the front, without taking them. */
  #peek(length: number): Buffer {
    if (this.#waiting.length === 0) return this.#lent.subarray(0, length)
    if (this.#waiting[0]!.length >= length) return this.#waiting[0]!.subarray(0, length)
    return Buffer.concat([...this.#waiting.slice(0, length), this.#lent.subarray(0, length)]).subarray(
      0,
      length,
    )
  }

  /** Takes `length` bytes from the front. */
  #advance(length: number): void {
    let left = length
    while (this.#waiting.length > 0 && left >= this.#waiting[0]!.length) left -= this.#waiting.shift()!.length
    if (left === 0) return
    if (this.#waiting.length > 0) this.#waiting[0] = this.#waiting[0]!.subarray(left)
    else this.#lent = this.#lent.subarray(left)
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

const nothing = Buffer.alloc(0)
