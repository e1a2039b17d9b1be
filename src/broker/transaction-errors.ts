import { errorCodes, type KafkaError } from '../protocol/errors.ts'

/** From this version on the requests of a transaction's producer know PRODUCER_FENCED (KIP-360). */
const fencedVersion = 2

/** The code of a refusal for clients that speak `version`: those of old know a fenced producer by its epoch. */
export function producerErrorCode(error: KafkaError, version: number, firstFenced = fencedVersion): number {
  if (error.error === 'PRODUCER_FENCED' && version < firstFenced) return errorCodes.INVALID_PRODUCER_EPOCH
  return error.code
}
