import { createRequire } from 'node:module'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Codec } from './batch.ts'
import { RecordsError } from './errors.ts'
import { decodeLz4 } from './lz4.ts'
import { decodeSnappy, encodeSnappy } from './snappy.ts'
import { decodeZstd, encodeZstd } from './zstd.ts'

// Native parts are loaded when a codec is first used: most brokers never compress anything themselves.
const require = createRequire(import.meta.url)

/** How many bytes a compressed body may become, unless a caller says otherwise. */
export const bodyLengthMax = 128 * 1024 * 1024

/**
 * `bytes` in the form that Java clients read: gzip, framed snappy, an lz4 frame of independent blocks, zstd. `level` counts for
 * gzip (-1 or 1 to 9) and zstd (-131072 to 22) alone; by default it is Kafka's default.
 */
export function compress(codec: Codec, bytes: Buffer, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gzipSync(bytes, { level: level ?? -1 })
    case 'snappy': {
      const { compressSync } = require('snappy') as { compressSync: (bytes: Buffer) => Buffer }
      return encodeSnappy(bytes, compressSync)
    }
    case 'lz4': {
      const { compressFrameSync } = require('lz4-napi') as { compressFrameSync: (bytes: Buffer) => Buffer }
      return compressFrameSync(bytes)
    }
    case 'zstd':
      return encodeZstd(bytes, level)
  }
}

/**
 * What `bytes` were before compression. Throws RecordsError CORRUPT_MESSAGE where they are not sound or would become more than
 * `lengthMax` bytes; no more than that is ever allocated for the result.
 */
export function decompress(codec: Codec, bytes: Buffer, lengthMax: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return decodeGzip(bytes, lengthMax)
    case 'snappy':
      return decodeSnappy(bytes, lengthMax)
    case 'lz4':
      return decodeLz4(bytes, lengthMax)
    case 'zstd':
      return decodeZstd(bytes, lengthMax)
  }
}

function decodeGzip(bytes: Buffer, lengthMax: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(lengthMax, 1) })
  } catch (error) {
    throw new RecordsError('CORRUPT_MESSAGE', `A gzip body is not sound: ${(error as Error).message}`)
  }
}
