/**
 * ListTransactions. Behaviour: every transactional id, filtered (KIP-664); states that do not exist are told.
 * Versions: a duration to exceed from 1 (KIP-994), a pattern of ids from 2 (KIP-1152), which is RE2's.
 */
import { errorCodes } from '../../protocol/errors.ts'
import {
  ListTransactionsRequest,
  ListTransactionsResponse,
} from '../../protocol/messages/66-list-transactions.ts'
import { api } from '../api.ts'

export const listTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: '0-2',
  request: ListTransactionsRequest,
  response: ListTransactionsResponse,
  async handle(request, context) {
    const { transactions, unknownStates } = await context.transactions.list(request)
    return { errorCode: errorCodes.NONE, unknownStateFilters: unknownStates, transactionStates: transactions }
  },
  refuse: (_request, errorCode) => ({ errorCode, unknownStateFilters: [], transactionStates: [] }),
})
