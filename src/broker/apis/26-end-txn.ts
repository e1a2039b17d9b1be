/**
 * EndTxn. Behaviour: commits or aborts a transaction; answered once that is on disk and every partition has been told, so that what
 * was committed can be read. Kafka answers earlier, and refuses the next transaction for a while.
 *
 * Versions: PRODUCER_FENCED from 2 (KIP-360), TRANSACTION_ABORTABLE from 4; from 5 on the producer goes on with another epoch, which
 * the answer names, and may abort what it has added nothing to (KIP-890).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts'
import { epochBumpVersion, none } from '../../transactions/transaction.ts'
import { api } from '../api.ts'
import { producerErrorCode } from '../transaction-errors.ts'

const nobody = { producerId: none.producerId, producerEpoch: none.epoch }
/** From this version on each end has an epoch of its own. */
const epochBumpFirst = 5

export const endTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: '0-5',
  request: EndTxnRequest,
  response: EndTxnResponse,

  async handle(request, { transactions, version }) {
    try {
      const identity = await transactions.end(request, version >= epochBumpFirst ? epochBumpVersion : 0)
      return { errorCode: errorCodes.NONE, ...identity }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { errorCode: producerErrorCode(error, version), ...nobody }
    }
  },

  refuse: (_request, errorCode) => ({ errorCode, ...nobody }),
})
