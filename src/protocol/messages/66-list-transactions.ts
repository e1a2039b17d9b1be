/** ListTransactions, API key 66, versions 0-2. */
import { array, int16, int32, int64, string, struct, message, type Of } from '../schema.ts'

export const ListTransactionsRequest = message(
  { versions: '0-2', flexible: '0+' },
  {
    stateFilters: array(string),
    producerIdFilters: array(int64),
    durationFilter: int64.in('1+').or(-1n),
    transactionalIdPattern: string.nullable().in('2+').or(null),
  },
)
export type ListTransactionsRequest = Of<typeof ListTransactionsRequest>

export const ListTransactionsResponse = message(
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    unknownStateFilters: array(string),
    transactionStates: array(
      struct({ transactionalId: string, producerId: int64, transactionState: string }),
    ),
  },
)
export type ListTransactionsResponse = Of<typeof ListTransactionsResponse>
