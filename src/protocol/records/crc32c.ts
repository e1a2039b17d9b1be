import { createRequire } from 'node:module'

// Below this the call into native code costs more than it saves.
const nativeLengthMin = 129

/**
 * The CRC-32C (Castagnoli) of `bytes` from `start` up to but not including `end`, unsigned.
 * Native where the module for this platform is installed, otherwise plain JavaScript with the same result.
 */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  if (end - start >= nativeLengthMin) {
    native ??= loadNative()
    if (native) return native(bytes.subarray(start, end))
  }
  return crc32cSliced(bytes, start, end)
}

type Native = (bytes: Buffer) => number
let native: Native | false | undefined

function loadNative(): Native | false {
  try {
    const { crc32c: compute } = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Native }
    return bytes => compute(bytes) >>> 0
  } catch {
    return false
  }
}

const slices = 8
let tables: Int32Array | undefined

/** The same checksum in plain JavaScript: eight bytes a step, one table for each of their places. */
export function crc32cSliced(bytes: Buffer, start = 0, end = bytes.length): number {
  const table = (tables ??= fillTables())
  let crc = -1
  let at = start
  for (const last = end - slices; at <= last; at += slices) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      table[1792 + (crc & 0xff)]! ^
      table[1536 + ((crc >>> 8) & 0xff)]! ^
      table[1280 + ((crc >>> 16) & 0xff)]! ^
      table[1024 + (crc >>> 24)]! ^
      table[768 + bytes[at + 4]!]! ^
      table[512 + bytes[at + 5]!]! ^
      table[256 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}

function fillTables(): Int32Array {
  const polynomial = 0x82f63b78 // Castagnoli's, bits reversed
  const table = new Int32Array(slices * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    table[byte] = crc
  }
  for (let at = 256; at < table.length; at++) {
    const crc = table[at - 256]!
    table[at] = (crc >>> 8) ^ table[crc & 0xff]!
  }
  return table
}
