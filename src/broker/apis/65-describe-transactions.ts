/**
 * DescribeTransactions. Behaviour: state, producer and partitions of transactional ids (KIP-664); one that is not there is
 * TRANSACTIONAL_ID_NOT_FOUND. Synced state only.
 */
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts'
import { undescribed } from '../../transactions/describe.ts'
import { api } from '../api.ts'

export const describeTransactions = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: '0',
  request: DescribeTransactionsRequest,
  response: DescribeTransactionsResponse,
  handle: async ({ transactionalIds }, { transactions }) => ({
    transactionStates: await transactions.describe(transactionalIds),
  }),
  refuse: ({ transactionalIds }, errorCode) => ({
    transactionStates: transactionalIds.map(transactionalId => undescribed(transactionalId, errorCode)),
  }),
})
