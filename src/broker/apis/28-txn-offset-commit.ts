/**
 * TxnOffsetCommit. Behaviour: keeps offsets of a group that count once the producer's transaction is committed. Members commit for
 * their generation or epoch (KIP-447); whoever names none is believed.
 *
 * Versions: PRODUCER_FENCED and leader epochs from 2, members from 3 (KIP-447), TRANSACTION_ABORTABLE from 4; from 5 on the offsets
 * are added to the transaction by the commit itself (KIP-890).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponse,
} from '../../protocol/messages/28-txn-offset-commit.ts'
import type { Draft } from '../../protocol/schema.ts'
import { TopicPartitions } from '../../transactions/partitions.ts'
import { api } from '../api.ts'
import { callerOf } from '../caller.ts'
import type { Context } from '../context.ts'
import { offsetsTopicName } from '../internal-topics.ts'
import { admit, checkOngoing, type TransactionManner } from '../transaction-gate.ts'

const addsPartitionsVersion = 5
const knowsAbortableVersion = 4
/** Clients of the first versions stumble over COORDINATOR_LOAD_IN_PROGRESS. */
const loadingVersion = 2

export const txnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: '0-5',
  request: TxnOffsetCommitRequest,
  response: TxnOffsetCommitResponse,

  async handle(request, context) {
    const { catalog, groups, version } = context
    if (request.groupId === '') throw new KafkaError('INVALID_GROUP_ID')
    const manner = {
      addsPartitions: version >= addsPartitionsVersion,
      knowsAbortable: version >= knowsAbortableVersion,
    }
    await admitOffsets(request, manner, context)
    return groups.commitInTransaction(request, callerOf(context), partition => {
      checkOngoing(context, request, offsetsTopicName, partition, manner)
      // Refused as late as by the log, it would cost the coordinator all that it has decided there.
      catalog.topic(offsetsTopicName)?.partitions[partition]?.checkProducer(request)
    })
  },

  refuse: (request, errorCode, version) => refused(request, errorCode, version),
})

/** Throws unless the group's partition of `__consumer_offsets` is in the transaction. */
async function admitOffsets(
  request: TxnOffsetCommitRequest,
  manner: TransactionManner,
  context: Context,
): Promise<void> {
  const partition = context.groups.partitionOf(request.groupId)
  const partitions = TopicPartitions.of([[offsetsTopicName, [partition]]])
  const refusals = await admit(context, request, partitions, manner)
  const refusal = refusals(offsetsTopicName, partition)
  if (!refusal) return
  // What is retried after is another error here than for a produce.
  if (refusal.error === 'NOT_ENOUGH_REPLICAS')
    throw new KafkaError('COORDINATOR_NOT_AVAILABLE', refusal.message)
  throw refusal
}

function refused(
  { topics }: TxnOffsetCommitRequest,
  errorCode: number,
  version: number,
): Draft<typeof TxnOffsetCommitResponse> {
  const isLoading = errorCode === errorCodes.COORDINATOR_LOAD_IN_PROGRESS && version < loadingVersion
  const code = isLoading ? errorCodes.COORDINATOR_NOT_AVAILABLE : errorCode
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
    })),
  }
}
