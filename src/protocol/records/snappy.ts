import { RecordsError } from './errors.ts'
import { copyLiteral, copyMatch } from './match.ts'

// The frame of the Java library: eight bytes of magic, a version, the oldest version that can read it, then blocks.
const frameHead = Buffer.from('82534e41505059000000000100000001', 'hex')
const magic = frameHead.subarray(0, 8)
const blockLength = 32 * 1024
// The best a copy of three bytes can do is 64: a greater claim is a lie, found out before anything is allocated.
const ratioMax = 22

interface Block {
  readonly start: number
  readonly end: number
  readonly length: number
}

/** Decodes snappy, with the Java library's framing or as one bare block. Nothing longer than `lengthMax` is allocated. */
export function decodeSnappy(bytes: Buffer, lengthMax: number): Buffer {
  const isFramed = bytes.subarray(0, magic.length).equals(magic)
  const blocks = isFramed ? blocksOf(bytes) : [openBlock(bytes, 0, bytes.length)]
  const length = blocks.reduce((sum, block) => sum + block.length, 0)
  if (length > lengthMax) throw corrupt('it becomes too long')
  const decoded = Buffer.allocUnsafe(length)
  let at = 0
  for (const block of blocks) {
    decodeBlock(bytes, block, decoded, at)
    at += block.length
  }
  return decoded
}

/** Encodes with the Java library's framing; `encodeBlock` makes one bare block. */
export function encodeSnappy(bytes: Buffer, encodeBlock: (bytes: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = [frameHead]
  for (let at = 0; at < bytes.length; at += blockLength) {
    const block = encodeBlock(bytes.subarray(at, at + blockLength))
    const size = Buffer.allocUnsafe(4)
    size.writeInt32BE(block.length)
    parts.push(size, block)
  }
  return Buffer.concat(parts)
}

function blocksOf(bytes: Buffer): Block[] {
  const blocks: Block[] = []
  for (let at = 0; at < bytes.length;) {
    if (bytes.subarray(at, at + magic.length).equals(magic)) {
      at += frameHead.length // streams may stand one behind the other
      if (at > bytes.length) throw corrupt('the frame is cut short')
      continue
    }
    if (bytes.length - at < 4) throw corrupt('the frame is cut short')
    const size = bytes.readInt32BE(at)
    at += 4
    if (size < 0 || size > bytes.length - at) throw corrupt('a block is cut short')
    blocks.push(openBlock(bytes, at, at + size))
    at += size
  }
  return blocks
}

/** Reads the length that a block claims to become, an unsigned varint before it. */
function openBlock(bytes: Buffer, start: number, end: number): Block {
  let length = 0
  let at = start
  for (let weight = 1; weight < 2 ** 35; weight *= 2 ** 7) {
    if (at >= end) throw corrupt('a block has no length')
    const byte = bytes[at++]!
    length += (byte & 0x7f) * weight
    if (byte >= 0x80) continue
    if (length > (end - at) * ratioMax) throw corrupt('a block claims more than it can become')
    return { start: at, end, length }
  }
  throw corrupt('a block has no length')
}

function decodeBlock(
  bytes: Buffer,
  { start, end, length }: Block,
  decoded: Buffer,
  decodedStart: number,
): void {
  const decodedEnd = decodedStart + length
  let at = start
  let to = decodedStart
  while (at < end) {
    const tag = bytes[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let literals = (tag >>> 2) + 1
      if (literals > 60) {
        const width = literals - 60
        if (width > end - at) throw corrupt('a literal is cut short')
        literals = bytes.readUIntLE(at, width) + 1
        at += width
      }
      if (literals > end - at || literals > decodedEnd - to) throw corrupt('a literal is too long')
      copyLiteral(decoded, to, bytes, at, literals)
      at += literals
      to += literals
    } else {
      const width = kind === 3 ? 4 : kind
      if (width > end - at) throw corrupt('a copy is cut short')
      const match = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
      const distance = kind === 1 ? ((tag >>> 5) << 8) | bytes[at]! : bytes.readUIntLE(at, width)
      at += width
      if (distance === 0 || distance > to - decodedStart) throw corrupt('a copy reaches before the start')
      if (match > decodedEnd - to) throw corrupt('a copy is too long')
      copyMatch(decoded, to, distance, match)
      to += match
    }
  }
  if (to !== decodedEnd) throw corrupt('a block becomes less than it claims')
}

function corrupt(what: string): RecordsError {
  return new RecordsError('CORRUPT_MESSAGE', `A snappy body is not sound: ${what}`)
}
