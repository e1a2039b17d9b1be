/**
 * FindCoordinator. Behaviour: groups, transactions and share partitions are coordinated by the node that was asked; the first question
 * makes `__consumer_offsets`, `__transaction_state` or `__share_group_state`, so that the answer can be used at once where Kafka's
 * first one is COORDINATOR_NOT_AVAILABLE.
 *
 * Versions: key types from 1 (KIP-98), several keys at once from 4 (KIP-699), share partitions from 6 (KIP-932).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../protocol/messages/10-find-coordinator.ts'
import type { Draft } from '../../protocol/schema.ts'
import { faultOfCoordinatorKey } from '../../groups/share/state/key.ts'
import { api } from '../api.ts'
import { brokersOf } from '../cluster.ts'
import type { Context } from '../context.ts'
import {
  internalTopic,
  offsetsTopicName,
  shareStateTopicName,
  transactionsTopicName,
} from '../internal-topics.ts'

type Answer = Draft<typeof FindCoordinatorResponse>
type Coordinator = Omit<NonNullable<Answer['coordinators']>[number], 'key'>

/** What is coordinated (FindCoordinatorRequest.CoordinatorType). */
const keyTypes = { group: 0, transaction: 1, share: 2 }
const firstBatchedVersion = 4
const firstShareVersion = 6

/** Where coordinators of a kind keep their state. */
const stateTopics = new Map([
  [keyTypes.group, offsetsTopicName],
  [keyTypes.transaction, transactionsTopicName],
  [keyTypes.share, shareStateTopicName],
])

export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  request: FindCoordinatorRequest,
  response: FindCoordinatorResponse,

  async handle(request, context) {
    const found = await coordinator(request.keyType, context)
    return answer(request, found, context.version)
  },

  refuse: (request, errorCode, version) => answer(request, none(errorCode, null), version),
})

async function coordinator(keyType: number, context: Context): Promise<Coordinator> {
  const topicName = stateTopics.get(keyType)
  const isKnown =
    topicName !== undefined && (keyType !== keyTypes.share || context.version >= firstShareVersion)
  if (!isKnown) return none(errorCodes.INVALID_REQUEST, `There is no coordinator of key type ${keyType}.`)
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
  return {
    coordinators: request.coordinatorKeys.map(key => {
      const fault = request.keyType === keyTypes.share ? faultOfCoordinatorKey(key) : undefined
      return { key, ...(fault === undefined ? found : none(errorCodes.INVALID_REQUEST, fault)) }
    }),
  }
}
