/**
 * AddPartitionsToTxn. Behaviour: partitions are in the producer's transaction once it is answered; of a client's request either all are
 * or none. Brokers, which is what may ask from version 4 on, ask for several transactions, or only whether partitions are in one.
 *
 * Versions: PRODUCER_FENCED from 2 (KIP-360), several transactions and verification from 4 (KIP-890), TRANSACTION_ABORTABLE from 5.
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts'
import type { Draft } from '../../protocol/schema.ts'
import { TopicPartitions } from '../../transactions/partitions.ts'
import { epochBumpVersion } from '../../transactions/transaction.ts'
import { api } from '../api.ts'
import type { Context } from '../context.ts'
import { producerErrorCode } from '../transaction-errors.ts'

type Answer = Draft<typeof AddPartitionsToTxnResponse>
type Asked = AddPartitionsToTxnRequest['transactions'][number]
type Topics = Asked['topics']
type TopicResults = NonNullable<Answer['resultsByTopicV3AndBelow']>

/** From this version on several transactions are asked for, by brokers. */
const batchedVersion = 4

export const addPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  request: AddPartitionsToTxnRequest,
  response: AddPartitionsToTxnResponse,

  async handle(request, context) {
    if (context.version < batchedVersion) {
      return { resultsByTopicV3AndBelow: await resultsOf(fromClient(request), context) }
    }
    const resultsByTransaction = await Promise.all(
      request.transactions.map(async asked => ({
        transactionalId: asked.transactionalId,
        topicResults: await resultsOf(asked, context),
      })),
    )
    return { errorCode: errorCodes.NONE, resultsByTransaction }
  },

  refuse: (request, errorCode, version) =>
    version < batchedVersion
      ? { resultsByTopicV3AndBelow: all(request.v3AndBelowTopics, errorCode) }
      : { errorCode, resultsByTransaction: [] },
})

function fromClient(request: AddPartitionsToTxnRequest): Asked {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  }
}

async function resultsOf(asked: Asked, context: Context): Promise<TopicResults> {
  const { topics, verifyOnly } = asked
  const refused = unknownOf(topics, context)
  if (refused) return refused
  try {
    if (verifyOnly) {
      const known = await context.transactions.partitionsOf(asked)
      return each(topics, (topic, partition) =>
        known.has(topic, partition) ? errorCodes.NONE : errorCodes.TRANSACTION_ABORTABLE,
      )
    }
    const partitions = TopicPartitions.of(topics.map(({ name, partitions }) => [name, partitions] as const))
    const transactionVersion = context.version < batchedVersion ? 0 : epochBumpVersion
    await context.transactions.addPartitions(asked, partitions, transactionVersion)
    return all(topics, errorCodes.NONE)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return all(topics, producerErrorCode(error, context.version))
  }
}

/** Where a partition is not there, or not for clients to write to, none is added. */
function unknownOf(topics: Topics, { catalog, version }: Context): TopicResults | undefined {
  let isRefused = false
  const results = each(topics, (name, partition) => {
    const topic = catalog.topic(name)
    const errorCode = !topic?.partitions[partition]
      ? errorCodes.UNKNOWN_TOPIC_OR_PARTITION
      : version < batchedVersion && topic.isInternal
        ? errorCodes.TOPIC_AUTHORIZATION_FAILED
        : errorCodes.OPERATION_NOT_ATTEMPTED
    if (errorCode !== errorCodes.OPERATION_NOT_ATTEMPTED) isRefused = true
    return errorCode
  })
  return isRefused ? results : undefined
}

function all(topics: Topics, errorCode: number): TopicResults {
  return each(topics, () => errorCode)
}

function each(topics: Topics, codeOf: (topic: string, partition: number) => number): TopicResults {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => ({
      partitionIndex,
      partitionErrorCode: codeOf(name, partitionIndex),
    })),
  }))
}
