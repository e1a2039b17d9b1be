import { Batch, attribute, batchOverhead, codecs, field, logOverhead, seal, type Codec } from './batch.ts'
import { compress } from './compression.ts'

/**
 * The same batch with its records in another codec: `body` is what they are without compression, `level` as `compress` takes it.
 * Offsets, timestamps and the producer's numbers stay as they are.
 */
export function recompress(batch: Batch, body: Buffer, codec: Codec, level?: number): Batch {
  const bytes = Buffer.concat([batch.view.subarray(0, batchOverhead), compress(codec, body, level)])
  const attributes = (batch.attributes & ~attribute.codecMask) | codecs.indexOf(codec)
  bytes.writeInt32BE(bytes.length - logOverhead, field.batchLength)
  bytes.writeInt16BE(attributes, field.attributes)
  seal(bytes, 0, bytes.length)
  return new Batch(bytes, 0)
}
