import type { HeaderValue, KafkaMessage } from './kafka-client.ts'

const keyLength = 8
/** VLSNs are below it, so that they are offsets of the view, which are signed. */
export const vlsnLimit = 1n << 63n

/** The header in which a writer names the VLSN that it used before this one; -1 for none. */
export const afterHeader = 'odradek.vlsn.after'

/** The key of a VLSN: 8 bytes, big-endian, so that keys sort as numbers do. */
export function vlsnKey(vlsn: bigint): Buffer {
  if (vlsn < 0n || vlsn >= vlsnLimit) throw new RangeError(`${vlsn} is no VLSN: they go from 0 to 2^63 - 1`)
  return int64(vlsn)
}

/** The VLSN in a key; undefined where the key is none. */
export function vlsnOf(key: Buffer | null | undefined): bigint | undefined {
  if (key?.length !== keyLength) return undefined
  const vlsn = key.readBigInt64BE()
  return vlsn < 0n ? undefined : vlsn
}

/** The value of `odradek.vlsn.after` that names `vlsn`. */
export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(keyLength)
  bytes.writeBigInt64BE(value)
  return bytes
}

/** What a record says was used before it; undefined where it says nothing. */
export function afterOf({ headers }: KafkaMessage): bigint | undefined {
  const value: HeaderValue = headers?.[afterHeader]
  return Buffer.isBuffer(value) && value.length === keyLength ? value.readBigInt64BE() : undefined
}
