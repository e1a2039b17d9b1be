import { KafkaError } from '../../protocol/errors.ts'
import { offsetOf } from './offset.ts'

/** What can be said of a record (AcknowledgeType). A gap is an offset at which there is no record. */
export const acknowledgeTypes = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const

/** What a member says of the records from `firstOffset` to `lastOffset`: one type for all, or one for each. */
export interface Acknowledgement {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly types: readonly number[]
}

/** As ShareFetch and ShareAcknowledge carry it. */
export interface AcknowledgementBatch {
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly acknowledgeTypes: readonly number[]
}

/** The acknowledgements of a request, in order. Throws INVALID_REQUEST where they are not sound (KafkaApis.validateAcknowledgementBatches). */
export function readAcknowledgements(
  batches: readonly AcknowledgementBatch[],
  isRenewAllowed: boolean,
): Acknowledgement[] {
  const typeMax = isRenewAllowed ? acknowledgeTypes.renew : acknowledgeTypes.reject
  let next = 0n
  return batches.map(({ firstOffset, lastOffset, acknowledgeTypes: types }) => {
    const count = lastOffset - firstOffset + 1n
    const isSound =
      firstOffset >= next &&
      count > 0n &&
      (types.length === 1 || BigInt(types.length) === count) &&
      types.every(type => type >= acknowledgeTypes.gap && type <= typeMax)
    if (!isSound) throw new KafkaError('INVALID_REQUEST', 'The acknowledgements are not sound.')
    next = lastOffset + 1n
    return { firstOffset: offsetOf(firstOffset), lastOffset: offsetOf(lastOffset), types }
  })
}
