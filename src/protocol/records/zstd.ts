import zlib from 'node:zlib'
import { loadPackageModule, readPackageFile } from '../../base/package-file.ts'
import { RecordsError } from './errors.ts'
import { zstdFrames } from './zstd-frame.ts'

interface Zstd {
  compress(bytes: Buffer, level: number): Buffer
  /** Decodes one frame that becomes at most `lengthMax` bytes; throws an Error of any kind where it cannot. */
  decompressFrame(frame: Buffer, lengthMax: number): Buffer
}

/** Compresses into one zstd frame; level 3 is Kafka's default. */
export function encodeZstd(bytes: Buffer, level = 3): Buffer {
  return (engine ??= loadEngine()).compress(bytes, level)
}

/** Decodes zstd frames, one behind the other; nothing longer than `lengthMax` is allocated for them. */
export function decodeZstd(bytes: Buffer, lengthMax: number): Buffer {
  engine ??= loadEngine()
  const parts: Buffer[] = []
  let length = 0
  for (const frame of zstdFrames(bytes)) {
    const part = decodeFrame(
      engine,
      bytes.subarray(frame.start, frame.end),
      Math.min(frame.lengthMax, lengthMax - length),
    )
    length += part.length
    parts.push(part)
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length)
}

function decodeFrame(zstd: Zstd, frame: Buffer, lengthMax: number): Buffer {
  try {
    return zstd.decompressFrame(frame, lengthMax)
  } catch (error) {
    throw new RecordsError('CORRUPT_MESSAGE', `A zstd body is not sound: ${(error as Error).message}`)
  }
}

let engine: Zstd | undefined

/** zlib.constants.ZSTD_c_compressionLevel, which older releases of Node lack. */
const compressionLevel = 100

// Node has zstd of its own from 22.15 on.
function loadEngine(): Zstd {
  const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as Partial<NodeZstd>
  if (!zstdCompressSync || !zstdDecompressSync) return loadWasm()
  return {
    compress: (bytes, level) => zstdCompressSync(bytes, { params: { [compressionLevel]: level } }),
    decompressFrame: (frame, lengthMax) =>
      zstdDecompressSync(frame, { maxOutputLength: Math.max(lengthMax, 1) }),
  }
}

interface NodeZstd {
  zstdCompressSync(bytes: Buffer, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync(bytes: Buffer, options: { maxOutputLength: number }): Buffer
}

type Run = (to: number, toSize: number, from: number, fromSize: number) => number
type Instantiate = (imports: object, receive: (instance: object) => unknown) => unknown

/** The compiled library with its own loader's names; addresses and sizes are bytes of its memory, which may move as it grows. */
interface Wasm {
  instantiateWasm: Instantiate
  init(binary: Buffer): void
  readonly HEAPU8: Uint8Array
  _malloc(size: number): number
  _free(address: number): void
  _ZSTD_isError(result: number): number
  _ZSTD_compressBound(size: number): number
  _ZSTD_compress(to: number, toSize: number, from: number, fromSize: number, level: number): number
  _ZSTD_decompress: Run
}

declare const WebAssembly: {
  readonly Module: new (binary: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => object
}

// The package's own door starts asynchronously and trusts the sizes that a frame claims; the module behind it need not.
function loadWasm(): Zstd {
  const name = '@bokuweb/zstd-wasm'
  const { Module: wasm } = loadPackageModule(name, 'module.js') as { Module: Wasm }
  const binary = readPackageFile(name, 'zstd.wasm')
  wasm.instantiateWasm = (imports, receive) =>
    receive(new WebAssembly.Instance(new WebAssembly.Module(binary), imports))
  wasm.init(binary)
  const { _malloc: allocate, _free: free, _ZSTD_isError: isError } = wasm
  const { _ZSTD_compressBound: boundOf, _ZSTD_compress: compress, _ZSTD_decompress: decompress } = wasm

  // Copies `bytes` into the library's memory, runs it there, and copies its result of at most `lengthMax` bytes out.
  const runOn = (bytes: Buffer, lengthMax: number, run: Run): Buffer => {
    const from = allocate(bytes.length + lengthMax)
    if (from === 0) throw new Error('out of memory')
    try {
      wasm.HEAPU8.set(bytes, from)
      const to = from + bytes.length
      const length = run(to, lengthMax, from, bytes.length)
      if (isError(length) !== 0) throw new Error(`zstd error ${-length}`)
      return Buffer.from(wasm.HEAPU8.subarray(to, to + length))
    } finally {
      free(from)
    }
  }
  return {
    compress: (bytes, level) =>
      runOn(bytes, boundOf(bytes.length), (to, toSize, from, size) =>
        compress(to, toSize, from, size, level),
      ),
    decompressFrame: (frame, lengthMax) => runOn(frame, lengthMax, decompress),
  }
}
