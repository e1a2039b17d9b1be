import { KafkaError } from '../../protocol/errors.ts'

/** An offset that somebody sent, -1 included, as the number that it is here. Throws INVALID_REQUEST for what no log has. */
export function offsetOf(sent: bigint): number {
  if (sent < -1n || sent > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new KafkaError('INVALID_REQUEST', `${sent} is no offset of a log`)
  }
  return Number(sent)
}
