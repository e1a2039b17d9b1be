import { decode, encode } from '../protocol/compile.ts'
import { includes, type Draft, type Message, type Of } from '../protocol/schema.ts'

/** A key or value of an internal topic: the two-byte `prefix` (a record type, or a version), then the message. */
export function prefixed<M extends Message>(
  prefix: number,
  message: M,
  version: number,
  value: Draft<M>,
): Buffer {
  const body = encode(message, version, value)
  const bytes = Buffer.allocUnsafe(2 + body.length)
  bytes.writeInt16BE(prefix, 0)
  body.copy(bytes, 2)
  return bytes
}

/**
 * The value of a record, behind its version: null for a tombstone, undefined where the version does not exist yet, which
 * Kafka skips as well. Byte fields are views of the record's bytes.
 */
export function readValue<M extends Message>(message: M, value: Buffer | null): Of<M> | null | undefined {
  if (value === null) return null
  const version = value.readInt16BE(0)
  return includes(message.versions, version) ? decode(message, version, value.subarray(2)) : undefined
}
