/**
 * InitProducerId. Behaviour: an idempotent producer gets an id that nobody had before, with epoch 0. One that comes back with its
 * old id gets a new one too, as in Kafka: only a transactional id would tie it to the old.
 *
 * Versions: the id to be replaced from 3 (KIP-360). 6 is unstable in Kafka and not promised.
 *
 * Skipped: transactional ids, refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED for the reason that FindCoordinator gives.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import { api } from '../api.ts'

const none = { producerId: -1n, producerEpoch: -1 }

export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: '0-5',
  request: InitProducerIdRequest,
  response: InitProducerIdResponse,

  async handle(request, { producerIds, logger, clientId }) {
    const { transactionalId, producerId, producerEpoch } = request
    const hasId = producerId !== none.producerId
    const hasEpoch = producerEpoch !== none.producerEpoch
    if (hasId !== hasEpoch || transactionalId === '') throw new KafkaError('INVALID_REQUEST')
    if (transactionalId !== null) {
      logger.warn({ clientId, transactionalId }, 'a transaction was refused: they are not served')
      throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    }
    return { errorCode: errorCodes.NONE, producerId: await producerIds.next(), producerEpoch: 0 }
  },

  refuse: (_request, errorCode) => ({ errorCode, ...none }),
})
