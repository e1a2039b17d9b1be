// Every case, by the session in which it runs. The order is the order in which they run.
import { flush } from './sessions/flush.mjs'
import { largeLog } from './sessions/large-log.mjs'
import { manyPartitions } from './sessions/many-partitions.mjs'
import { ordinary } from './sessions/ordinary.mjs'
import { transactions } from './sessions/transactions.mjs'

/**
 * A session is { cases, volumes: { full, quick }, startOptions?, skip? }: `startOptions` by broker, `skip` tells why this
 * machine cannot run it. A case is { measure, secondsMax, roundsMax? }: `measure` takes a Bench and returns figures,
 * `roundsMax` says by broker in how many rounds a slow one takes part.
 */
export const sessions = [ordinary, transactions, flush, manyPartitions, largeLog]

/** The names that `--case` takes. */
export const caseNames = sessions.flatMap(session => Object.keys(session.cases))
