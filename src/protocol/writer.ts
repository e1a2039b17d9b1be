import { assert } from '../base/assert.ts'
import { writeBigInt64, writeInt64 } from './int64.ts'

// Below this size a copy is cheaper than one more piece to hand to the socket.
const copiedLengthMax = 512

/** Writes the protocol's primitives into growing memory; large byte strings are kept as pieces of their own, uncopied. */
export class Writer {
  #buffer: Buffer
  #position = 0
  /** Where in `#buffer` the piece under way begins. */
  #start = 0
  readonly #pieces: Buffer[] = []
  #piecesLength = 0

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#piecesLength + this.#position - this.#start
  }

  #room(length: number): number {
    const at = this.#position
    if (at + length > this.#buffer.length) return this.#grow(length)
    this.#position = at + length
    return at
  }

  #grow(length: number): number {
    const pending = this.#position - this.#start
    const larger = Buffer.allocUnsafe(Math.max(2 * (pending + length), 256))
    this.#buffer.copy(larger, 0, this.#start, this.#position)
    this.#buffer = larger
    this.#start = 0
    this.#position = pending + length
    return pending
  }

  bool(value: boolean): void {
    this.#byte(value ? 1 : 0)
  }

  int8(value: number): void {
    const at = this.#room(1)
    this.#buffer.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#room(2)
    this.#buffer.writeInt16BE(value, at)
  }

  uint16(value: number): void {
    const at = this.#room(2)
    this.#buffer.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#room(4)
    this.#buffer.writeInt32BE(value, at)
  }

  uint32(value: number): void {
    const at = this.#room(4)
    this.#buffer.writeUInt32BE(value, at)
  }

  /** A number beyond 2^53 as it was rounded. */
  int64(value: bigint | number): void {
    const at = this.#room(8)
    if (typeof value === 'number') writeInt64(this.#buffer, at, value)
    else writeBigInt64(this.#buffer, at, value)
  }

  float64(value: number): void {
    const at = this.#room(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  unsignedVarint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#byte((rest & 0x7f) | 0x80)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  #byte(value: number): void {
    const at = this.#room(1)
    this.#buffer[at] = value
  }

  uuid(value: string): void {
    const at = this.#room(16)
    const written = this.#buffer.write(value, at, 16, 'base64url')
    assert(written === 16 && value.length === 22, () => `not a uuid: ${value}`)
  }

  /** UTF-8 text whose length in bytes the caller has written before. */
  text(value: string, length: number): void {
    const at = this.#room(length)
    this.#buffer.write(value, at, length, 'utf8')
  }

  /** Raw bytes; a long buffer is not copied and must not change until it has been sent. */
  raw(value: Buffer): void {
    if (value.length <= copiedLengthMax) {
      const at = this.#room(value.length)
      value.copy(this.#buffer, at)
      return
    }
    this.#cut()
    this.#pieces.push(value)
    this.#piecesLength += value.length
  }

  /** Ends the piece under way. */
  #cut(): void {
    if (this.#position === this.#start) return
    const piece = this.#buffer.subarray(this.#start, this.#position)
    this.#pieces.push(piece)
    this.#piecesLength += piece.length
    this.#start = this.#position
  }

  /** Everything written, in order. The writer is spent. */
  pieces(): Buffer[] {
    this.#cut()
    return this.#pieces
  }

  /** Everything written as one buffer. The writer is spent. */
  join(): Buffer {
    const pieces = this.pieces()
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }
}
