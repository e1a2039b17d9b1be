/**
 * FindCoordinator. Behaviour: groups and transactions are coordinated by the node that was asked; the first question makes
 * `__consumer_offsets` or `__transaction_state`, so that the answer can be used at once where Kafka's first one is
 * COORDINATOR_NOT_AVAILABLE.
 *
 * Versions: key types from 1 (KIP-98), several keys at once from 4 (KIP-699), share groups' state from 6 (KIP-932).
 *
 * Skipped: share coordinators, as by a Kafka that has none: INVALID_REQUEST.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../protocol/messages/10-find-coordinator.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import { brokersOf } from '../cluster.ts'
import type { Context } from '../context.ts'
import { internalTopic, offsetsTopicName, transactionsTopicName } from '../internal-topics.ts'

type Answer = Draft<typeof FindCoordinatorResponse>
type Coordinator = Omit<NonNullable<Answer['coordinators']>[number], 'key'>

/** What is coordinated (FindCoordinatorRequest.CoordinatorType). */
const keyTypes = { group: 0, transaction: 1 }
/** Where the coordinators keep their state, by key type. */
const topicNames = new Map([
  [keyTypes.group, offsetsTopicName],
  [keyTypes.transaction, transactionsTopicName],
])
const firstBatchedVersion = 4

export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  request: FindCoordinatorRequest,
  response: FindCoordinatorResponse,

  async handle(request, context) {
    return answer(request, await coordinator(request.keyType, context), context.version)
  },

  refuse: (request, errorCode, version) => answer(request, none(errorCode, null), version),
})

async function coordinator(keyType: number, context: Context): Promise<Coordinator> {
  const topicName = topicNames.get(keyType)
  if (topicName === undefined) {
    return none(errorCodes.INVALID_REQUEST, `There is no coordinator of key type ${keyType}.`)
  }
  try {
    await context.catalog.ensure(internalTopic(topicName, context.settings)!)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return none(errorCodes.COORDINATOR_NOT_AVAILABLE, error.message)
  }
  const { nodeId, host, port } = brokersOf(context)[0]!
  return { nodeId, host, port, errorCode: errorCodes.NONE, errorMessage: null }
}

function none(errorCode: number, errorMessage: string | null): Coordinator {
  return { nodeId: -1, host: '', port: -1, errorCode, errorMessage }
}

function answer(request: FindCoordinatorRequest, found: Coordinator, version: number): Answer {
  if (version < firstBatchedVersion) return found
  return { coordinators: request.coordinatorKeys.map(key => ({ key, ...found })) }
}
