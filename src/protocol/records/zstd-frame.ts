import { RecordsError } from './errors.ts'

const frameMagic = 0xfd2fb528
const blockLengthMax = 128 * 1024

/** One zstd frame within `bytes`. */
export interface ZstdFrame {
  readonly start: number
  readonly end: number
  /** The most bytes that the frame can become: what it claims, or else what its blocks can hold. */
  readonly lengthMax: number
}

/**
 * The zstd frames in `bytes`, without those to be skipped (RFC 8878, section 3.1). Only headers are read: what a frame can
 * become is known before anything is allocated for it. Throws RecordsError CORRUPT_MESSAGE.
 */
export function zstdFrames(bytes: Buffer): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  for (let at = 0; at < bytes.length;) {
    const magic = unsigned(bytes, at, 4)
    if ((magic & 0xfffffff0) === 0x184d2a50) {
      at += 8 + unsigned(bytes, at + 4, 4)
      if (at > bytes.length) throw corrupt('a skippable frame is cut short')
    } else if (magic === frameMagic) {
      const frame = frameAt(bytes, at)
      frames.push(frame)
      at = frame.end
    } else {
      throw corrupt('no frame starts')
    }
  }
  return frames
}

function frameAt(bytes: Buffer, start: number): ZstdFrame {
  let at = start + 4
  const descriptor = unsigned(bytes, at++, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  let windowLength = Infinity
  if (!isSingleSegment) {
    const window = unsigned(bytes, at++, 1)
    windowLength = 2 ** (10 + (window >>> 3)) * (1 + (window & 7) / 8)
  }
  at += [0, 1, 2, 4][descriptor & 3]! // the dictionary's number
  const sizeCode = descriptor >>> 6
  const sizeWidth = sizeCode === 0 ? Number(isSingleSegment) : 2 ** sizeCode
  const claimed = sizeWidth === 0 ? undefined : unsigned(bytes, at, sizeWidth) + (sizeWidth === 2 ? 256 : 0)
  at += sizeWidth

  const compressedMax = Math.min(isSingleSegment ? claimed! : windowLength, blockLengthMax)
  let length = 0
  for (let isLast = false; !isLast;) {
    const head = unsigned(bytes, at, 3)
    at += 3
    isLast = (head & 1) === 1
    const kind = (head >>> 1) & 3
    const size = head >>> 3
    if (kind === 3) throw corrupt('a block has a reserved type')
    at += kind === 1 ? 1 : size
    length += kind === 2 ? compressedMax : size
  }
  if (descriptor & 4) at += 4 // the content's checksum
  if (at > bytes.length) throw corrupt('a frame is cut short')
  if (claimed !== undefined && claimed > length) throw corrupt('a frame claims more than it can become')
  return { start, end: at, lengthMax: claimed ?? length }
}

function unsigned(bytes: Buffer, at: number, width: number): number {
  if (width > bytes.length - at) throw corrupt('a frame is cut short')
  return width === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, width)
}

function corrupt(what: string): RecordsError {
  return new RecordsError('CORRUPT_MESSAGE', `A zstd body is not sound: ${what}`)
}
