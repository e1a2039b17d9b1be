/**
 * AddOffsetsToTxn. Behaviour: the partition of `__consumer_offsets` that has a group's offsets is in the producer's transaction once
 * it is answered, so that TxnOffsetCommit may follow. From TxnOffsetCommit version 5 on nobody needs it (KIP-890).
 * Versions: PRODUCER_FENCED from 2 (KIP-360), TRANSACTION_ABORTABLE from 4 (KIP-890).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  AddOffsetsToTxnRequest,
  AddOffsetsToTxnResponse,
} from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { TopicPartitions } from '../../transactions/partitions.ts'
import { api } from '../api.ts'
import { offsetsTopicName } from '../internal-topics.ts'
import { producerErrorCode } from '../transaction-errors.ts'

export const addOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: '0-4',
  request: AddOffsetsToTxnRequest,
  response: AddOffsetsToTxnResponse,

  async handle(request, { transactions, groups, version }) {
    const partitions = TopicPartitions.of([[offsetsTopicName, [groups.partitionOf(request.groupId)]]])
    try {
      await transactions.addPartitions(request, partitions, 0)
      return { errorCode: errorCodes.NONE }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { errorCode: producerErrorCode(error, version) }
    }
  },

  refuse: (_request, errorCode) => ({ errorCode }),
})
