/**
 * CreatePartitions. Behaviour: adds partitions to topics, each judged by itself; they can be produced to when the answer leaves.
 *
 * Skipped: `timeoutMs`, since nothing is left to wait for.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../protocol/messages/37-create-partitions.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import { brokersOf } from '../cluster.ts'
import type { Context } from '../context.ts'
import { checkAssignment, partitionExcess, repeatedNames } from '../new-partitions.ts'
import { findTopic, noTopicId } from '../partitions.ts'

type Asked = CreatePartitionsRequest['topics'][number]
type Result = Draft<typeof CreatePartitionsResponse>['results'][number]

/** Nothing is replicated: each partition is on one node. */
const replicationFactor = 1

export const createPartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  request: CreatePartitionsRequest,
  response: CreatePartitionsResponse,

  async handle(request, context) {
    const repeated = repeatedNames(request.topics)
    const results = [...repeated].map(name =>
      answer(name, new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')),
    )
    for (const asked of request.topics) {
      if (!repeated.has(asked.name)) results.push(await grow(asked, request.validateOnly, context))
    }
    return { results }
  },

  refuse: (request, errorCode) => ({
    results: request.topics.map(({ name }) => ({ name, errorCode })),
  }),
})

async function grow(asked: Asked, validateOnly: boolean, context: Context): Promise<Result> {
  const { name, count } = asked
  try {
    check(asked, context)
    if (!validateOnly) await context.catalog.grow(name, count)
    return answer(name, undefined)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return answer(name, error)
  }
}

/** ReplicationControlManager.createPartitions. */
function check({ name, count, assignments }: Asked, context: Context): void {
  const { length } = findTopic(context.catalog, { name, topicId: noTopicId }).partitions
  if (count === length)
    throw new KafkaError('INVALID_PARTITIONS', `Topic already has ${length} partition(s).`)
  if (count < length) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      `The topic ${name} currently has ${length} partition(s); ${count} would not be an increase.`,
    )
  }
  const added = count - length
  const excess = partitionExcess(added)
  if (excess) throw excess
  if (!assignments) return
  if (assignments.length !== added) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
    )
  }
  const nodeIds = brokersOf(context).map(({ nodeId }) => nodeId)
  for (const { brokerIds } of assignments) checkAssignment(brokerIds, replicationFactor, nodeIds)
}

function answer(name: string, error: KafkaError | undefined): Result {
  return { name, errorCode: error?.code ?? errorCodes.NONE, errorMessage: error?.message ?? null }
}
