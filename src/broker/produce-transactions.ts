import { KafkaError } from '../protocol/errors.ts'
import { readBigInt64 } from '../protocol/int64.ts'
import type { ProduceRequest } from '../protocol/messages/00-produce.ts'
import { attribute, batchOverhead, field, magicCurrent, type Batch } from '../protocol/records/batch.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import { TopicPartitions } from '../transactions/partitions.ts'
import type { Claim } from '../transactions/transitions.ts'
import type { Context } from './context.ts'
import { findTopic } from './partitions.ts'
import { admit, checkOngoing, type Refusals, type TransactionManner } from './transaction-gate.ts'

/** From these versions of Produce on. */
const addsPartitionsVersion = 12
const knowsAbortableVersion = 11

/** What `version` of Produce means for transactions. */
export function mannerOf(version: number): TransactionManner {
  return {
    addsPartitions: version >= addsPartitionsVersion,
    knowsAbortable: version >= knowsAbortableVersion,
  }
}

/** Partitions that are new to a producer's transaction, as far as their logs know. */
interface Newcomers {
  readonly claim: Claim
  readonly partitions: TopicPartitions
}

/**
 * The partitions of a produce that its transaction's coordinator has to be asked about; undefined on the fast path, where all of them
 * have data of the transaction already. Only looks at the batches: whatever is not sound is refused when it is checked.
 */
export function newToTransaction(
  request: ProduceRequest,
  context: Context,
): readonly Newcomers[] | undefined {
  const { transactionalId } = request
  if (transactionalId === null) return undefined
  const found = new Map<string, Newcomers>()
  for (const data of request.topicData) {
    for (const { index, records } of data.partitionData) {
      if (!records || !isTransactional(records)) continue
      const producerId = readBigInt64(records, field.producerId)
      const producerEpoch = records.readInt16BE(field.producerEpoch)
      const topic = topicOf(data, context)
      const log = topic?.partitions[index]
      if (!topic || topic.isInternal || !log || hasBegun(log, producerId, producerEpoch)) continue
      const key = `${producerId}/${producerEpoch}`
      let newcomers = found.get(key)
      if (!newcomers) {
        const claim = { transactionalId, producerId, producerEpoch }
        found.set(key, (newcomers = { claim, partitions: new TopicPartitions() }))
      }
      newcomers.partitions.add(topic.name, index)
    }
  }
  return found.size === 0 ? undefined : [...found.values()]
}

function topicOf(data: ProduceRequest['topicData'][number], { catalog }: Context) {
  try {
    return findTopic(catalog, data)
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}

function isTransactional(records: Buffer): boolean {
  return (
    records.length >= batchOverhead &&
    records[field.magic] === magicCurrent &&
    (records[field.attributes + 1]! & attribute.transactional) !== 0
  )
}

/** The log has data of the producer's transaction: its end will come behind whatever is written now. */
function hasBegun(log: PartitionLog, producerId: bigint, producerEpoch: number): boolean {
  return log.ongoingTransaction(producerId)?.producerEpoch === producerEpoch
}

/** Asks the coordinator about all newcomers. */
export async function admitAll(newcomers: readonly Newcomers[], context: Context): Promise<Refusals> {
  const manner = mannerOf(context.version)
  const admissions = await Promise.all(
    newcomers.map(({ claim, partitions }) => admit(context, claim, partitions, manner)),
  )
  return (topic, partition) => {
    const index = newcomers.findIndex(({ partitions }) => partitions.has(topic, partition))
    return admissions[index]?.(topic, partition)
  }
}

/**
 * Throws unless a transactional batch may be appended now: TRANSACTIONAL_ID_AUTHORIZATION_FAILED without a transactional id, what the
 * coordinator said, INVALID_TXN_STATE where the transaction has come to its end meanwhile.
 */
export function checkTransaction(
  batch: Batch,
  at: { readonly topic: string; readonly partition: number; readonly log: PartitionLog },
  transactionalId: string | null,
  refusals: Refusals,
  context: Context,
): void {
  if (transactionalId === null) throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  const { topic, partition, log } = at
  const { producerId, producerEpoch } = batch
  if (hasBegun(log, producerId, producerEpoch)) return
  const refusal = refusals(topic, partition)
  if (refusal) throw refusal
  const claim = { transactionalId, producerId, producerEpoch }
  checkOngoing(context, claim, topic, partition, mannerOf(context.version))
}
