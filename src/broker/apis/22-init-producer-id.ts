/**
 * InitProducerId. Behaviour: an idempotent producer gets an id that nobody had before, with epoch 0. One that comes back with its
 * old id gets a new one too, as in Kafka: only a transactional id ties it to the old. With one, it gets the id's next epoch, which
 * fences whoever had it before; a transaction that was under way is aborted first, while Kafka has it ask again.
 *
 * Versions: the id to be replaced or gone on with from 3 (KIP-360), PRODUCER_FENCED from 4. 6, with two-phase commit (KIP-939), is
 * unstable in Kafka and not promised.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import type { ProducerIdentity } from '../../transactions/identity.ts'
import { none } from '../../transactions/transaction.ts'
import { api } from '../api.ts'
import type { Context } from '../context.ts'
import { producerErrorCode } from '../transaction-errors.ts'

const nobody = { producerId: none.producerId, producerEpoch: none.epoch }
const fencedVersion = 4

export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: '0-5',
  request: InitProducerIdRequest,
  response: InitProducerIdResponse,

  async handle(request, context) {
    const hasId = request.producerId !== nobody.producerId
    const hasEpoch = request.producerEpoch !== nobody.producerEpoch
    if (hasId !== hasEpoch || request.transactionalId === '') throw new KafkaError('INVALID_REQUEST')
    try {
      return { errorCode: errorCodes.NONE, ...(await identity(request, context)) }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { errorCode: producerErrorCode(error, context.version, fencedVersion), ...nobody }
    }
  },

  refuse: (_request, errorCode) => ({ errorCode, ...nobody }),
})

async function identity(
  request: InitProducerIdRequest,
  { producerIds, transactions }: Context,
): Promise<ProducerIdentity> {
  const { transactionalId } = request
  if (transactionalId === null) return { producerId: await producerIds.next(), producerEpoch: 0 }
  return transactions.initProducerId({ ...request, transactionalId })
}
