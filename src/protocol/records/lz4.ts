import { RecordsError } from './errors.ts'
import { copyLiteral, copyMatch } from './match.ts'

const frameMagic = 0x184d2204
const flag = {
  version: 0x40,
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
}
const uncompressedBit = 0x80000000

interface Block {
  readonly start: number
  readonly end: number
  readonly isCompressed: boolean
  /** Bytes that the block becomes. */
  readonly length: number
  /** Whether matches may reach into the blocks before it. */
  readonly isDependent: boolean
}

/**
 * Decodes LZ4 frames, with dependent blocks or without. Every length is known before anything is allocated. The frame's own
 * checksums are passed over: a batch's checksum covers them, and those of format 0 are wrong by tradition (KAFKA-3160).
 */
export function decodeLz4(bytes: Buffer, lengthMax: number): Buffer {
  const blocks = blocksOf(bytes, lengthMax)
  const decoded = Buffer.allocUnsafe(blocks.reduce((sum, block) => sum + block.length, 0))
  let at = 0
  for (const block of blocks) {
    if (!block.isCompressed) copyLiteral(decoded, at, bytes, block.start, block.length)
    else decodeBlock(bytes, block, decoded, at)
    at += block.length
  }
  return decoded
}

function blocksOf(bytes: Buffer, lengthMax: number): Block[] {
  const blocks: Block[] = []
  let length = 0
  let at = 0
  do {
    if (bytes.length - at < 7 || bytes.readUInt32LE(at) !== frameMagic) throw corrupt('no frame starts')
    const flags = bytes[at + 4]!
    if ((flags & 0xc0) !== flag.version) throw corrupt('the frame has an unknown version')
    const sizeCode = (bytes[at + 5]! >>> 4) & 7
    if (sizeCode < 4) throw corrupt('the frame has an unknown block size')
    const blockLengthMax = 2 ** (8 + 2 * sizeCode)
    at += flags & flag.contentSize ? 15 : 7
    for (;;) {
      if (bytes.length - at < 4) throw corrupt('the frame is cut short')
      const head = bytes.readUInt32LE(at)
      at += 4
      if (head === 0) break
      const isCompressed = head < uncompressedBit
      const size = isCompressed ? head : head - uncompressedBit
      if (size > bytes.length - at) throw corrupt('a block is cut short')
      const block = {
        start: at,
        end: at + size,
        isCompressed,
        length: size,
        isDependent: !(flags & flag.independent),
      }
      if (isCompressed) block.length = measureBlock(bytes, at, at + size)
      length += block.length
      if (block.length > blockLengthMax || length > lengthMax) throw corrupt('it becomes too long')
      blocks.push(block)
      at += flags & flag.blockChecksum ? size + 4 : size
    }
    if (flags & flag.contentChecksum) at += 4
  } while (at < bytes.length)
  if (at > bytes.length) throw corrupt('a checksum is cut short')
  return blocks
}

/** How long a compressed block becomes; sees to it that its sequences end where it ends. */
function measureBlock(bytes: Buffer, start: number, end: number): number {
  let at = start
  let length = 0
  while (at < end) {
    const token = bytes[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      let more
      do literals += more = bytes[at++]!
      while (more === 255 && at < end)
    }
    at += literals
    length += literals
    if (at === end) return length
    at += 2
    let match = (token & 15) + 4
    if (match === 19) {
      let more
      do match += more = bytes[at++]!
      while (more === 255 && at < end)
    }
    length += match
  }
  throw corrupt('a block ends amid a sequence')
}

function decodeBlock(bytes: Buffer, block: Block, decoded: Buffer, decodedStart: number): void {
  const { end } = block
  const windowStart = block.isDependent ? 0 : decodedStart
  let at = block.start
  let to = decodedStart
  for (;;) {
    const token = bytes[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      let more
      do literals += more = bytes[at++]!
      while (more === 255)
    }
    copyLiteral(decoded, to, bytes, at, literals)
    at += literals
    to += literals
    if (at === end) return
    const distance = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    if (distance === 0 || distance > to - windowStart) throw corrupt('a match reaches before the start')
    let match = (token & 15) + 4
    if (match === 19) {
      let more
      do match += more = bytes[at++]!
      while (more === 255)
    }
    copyMatch(decoded, to, distance, match)
    to += match
  }
}

function corrupt(what: string): RecordsError {
  return new RecordsError('CORRUPT_MESSAGE', `An lz4 body is not sound: ${what}`)
}
