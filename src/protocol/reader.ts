import { readBigInt64, readInt64 } from './int64.ts'

/** Bytes from outside that do not follow the protocol. Fatal to the connection that they came over, to nothing else. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError'
}

/** So many array elements and tags may stand in one message from outside: each costs memory and work far beyond its own bytes. */
const elementsMaxDefault = 500_000

/** Reads the protocol's primitives from a buffer, front to back. Every read is bounded first; a cut one throws MalformedError. */
export class Reader {
  readonly bytes: Buffer
  position: number
  readonly end: number
  readonly #elementsMax: number
  #elements = 0

  constructor(bytes: Buffer, { elementsMax = elementsMaxDefault } = {}) {
    this.bytes = bytes
    this.position = 0
    this.end = bytes.length
    this.#elementsMax = elementsMax
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Announces `count` elements, of a byte at least each, before memory is taken for them. */
  expect(count: number): void {
    if (count > this.remaining) throw new MalformedError(`${count} elements in ${this.remaining} bytes`)
    this.#elements += count
    if (this.#elements > this.#elementsMax)
      throw new MalformedError(`more than ${this.#elementsMax} elements`)
  }

  /** Moves past `length` bytes and returns where they begin. */
  skip(length: number): number {
    const at = this.position
    if (length < 0 || length > this.end - at) {
      throw new MalformedError(`${length} bytes wanted at ${at}, ${this.end - at} left`)
    }
    this.position = at + length
    return at
  }

  bool(): boolean {
    return this.bytes[this.skip(1)] !== 0
  }

  int8(): number {
    return this.bytes.readInt8(this.skip(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.skip(2))
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.skip(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.skip(4))
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.skip(4))
  }

  int64(): bigint {
    return readBigInt64(this.bytes, this.skip(8))
  }

  roundedInt64(): number {
    return readInt64(this.bytes, this.skip(8))
  }

  float64(): number {
    return this.bytes.readDoubleBE(this.skip(8))
  }

  /** An unsigned varint of at most 32 bits. */
  unsignedVarint(): number {
    let value = 0
    for (let weight = 1; weight < 2 ** 35; weight *= 2 ** 7) {
      const byte = this.bytes[this.skip(1)]!
      value += (byte & 0x7f) * weight
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw new MalformedError(`a varint of more than 32 bits before ${this.position}`)
  }

  uuid(): string {
    const at = this.skip(16)
    return this.bytes.toString('base64url', at, at + 16)
  }

  /** `length` bytes of UTF-8. */
  text(length: number): string {
    const at = this.skip(length)
    return this.bytes.toString('utf8', at, at + length)
  }

  /** `length` bytes, as a view. */
  view(length: number): Buffer {
    const at = this.skip(length)
    return this.bytes.subarray(at, at + length)
  }
}
