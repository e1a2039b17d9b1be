// kafkajs brings gzip only; the other codecs are plugged in, as its documentation tells users to do.
import { compress as zstdCompress, decompress as zstdDecompress, init } from '@bokuweb/zstd-wasm'
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as snappyCompress, uncompress as snappyUncompress } from 'snappy'

const { CompressionCodecs, CompressionTypes } = kafkajs
await init()

CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: encoder => snappyCompress(encoder.buffer),
  decompress: bytes => snappyUncompress(bytes),
})
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: encoder => compressFrame(encoder.buffer),
  decompress: bytes => decompressFrame(bytes),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => Buffer.from(zstdCompress(encoder.buffer, 3)),
  decompress: async bytes => Buffer.from(zstdDecompress(bytes)),
})

/** Codec of each scenario name. */
export const codecs = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}
