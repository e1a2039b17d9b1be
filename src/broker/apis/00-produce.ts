/**
 * Produce. Behaviour: each partition's batch is checked, ordered and given its offset before anything is awaited, so that
 * requests of a connection share blocks and keep their order; the answer leaves when the block is synced, for acks=1
 * as for acks=all, or at once where `odradek.durability` is async. With acks=0 nothing is answered, and a refused batch
 * closes the connection, as in Kafka. A transactional batch for a partition that is new to its transaction waits until the coordinator
 * has it on disk that the partition is in it; what comes behind it on the connection waits as well. A VLSN topic has a say in each
 * record (`vlsn/admission`).
 *
 * Versions: 0 to 2 are advertised and refused, since librdkafka takes their absence for a broker that cannot
 * compress; log start offset from 5, zstd from 7 (KIP-110), record errors from 8 (KIP-467), TRANSACTION_ABORTABLE from
 * 11 and partitions added to the transaction from 12 (KIP-890), topic ids from 13 (KIP-516).
 */
import { errorCodes, KafkaError, type ErrorName } from '../../protocol/errors.ts'
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import { RecordsError } from '../../protocol/records/errors.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { AppendOptions, Appended, PartitionLog } from '../../storage/partition-log.ts'
import { api } from '../api.ts'
import type { Topic } from '../catalog.ts'
import type { Context } from '../context.ts'
import { findPartition, findTopic } from '../partitions.ts'
import { produceRules, type ProduceRules } from '../produce-rules.ts'
import { produced, type Arrival } from '../produced-batch.ts'
import { admitAll, checkTransaction, mannerOf, newToTransaction } from '../produce-transactions.ts'
import type { Refusals } from '../transaction-gate.ts'

type Answer = Draft<typeof ProduceResponse>
type PartitionAnswer = Answer['responses'][number]['partitionResponses'][number]

/** One partition's part: appended and waiting for its block, or refused. */
interface Part {
  readonly index: number
  readonly log: PartitionLog | undefined
  readonly appended: Appended | undefined
  readonly logAppendTimeMs: bigint
  readonly error: unknown
}

interface TopicParts {
  readonly name: string
  readonly topicId: string
  readonly parts: Part[]
}

const notAppendTime = -1n
/** What the log has against a producer, and nobody before it. */
const producerErrors: ReadonlySet<ErrorName> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
])
const firstTopicIdVersion = 13

export const produce = api({
  key: 0,
  name: 'Produce',
  versions: '0-13',
  pipelined: true,
  request: ProduceRequest,
  response: ProduceResponse,

  handle(request, context) {
    const { acks } = request
    if (acks < -1 || acks > 1) throw new KafkaError('INVALID_REQUIRED_ACKS')
    const newcomers = newToTransaction(request, context)
    if (!newcomers) return acknowledge(acks, appendAll(request, context, noRefusals), context)
    const [kept, release] = keep(request, context)
    const appended = admitAll(newcomers, context)
      .then(refusals => appendAll(kept, context, refusals))
      .finally(release)
    context.holdBack(appended)
    return appended.then(topics => acknowledge(acks, topics, context))
  },

  refuse: (request, errorCode) => ({
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({
        index,
        errorCode,
        baseOffset: -1n,
        recordErrors: [],
      })),
    })),
  }),
})

const noRefusals: Refusals = () => undefined

/** A request that outlives this turn, and what gives up its memory. */
function keep(request: ProduceRequest, { hold }: Context): [ProduceRequest, release: () => void] {
  if (hold) {
    hold.retain()
    return [request, () => hold.release()]
  }
  const topicData = request.topicData.map(data => ({
    ...data,
    partitionData: data.partitionData.map(({ index, records }) => ({
      index,
      records: records && Buffer.from(records),
    })),
  }))
  return [{ ...request, topicData }, () => {}]
}

function appendAll(request: ProduceRequest, context: Context, refusals: Refusals): TopicParts[] {
  const { transactionalId } = request
  const gate: Gate = { transactionalId, refusals }
  return context.store.asOneProduce(() => request.topicData.map(data => appendTopic(data, context, gate)))
}

/** Who asks for a transaction, and what its coordinator has against it. */
interface Gate {
  readonly transactionalId: string | null
  readonly refusals: Refusals
}

/** Answers once what was appended is on disk. */
function acknowledge(
  acks: number,
  topics: readonly TopicParts[],
  context: Context,
): Answer | Promise<Answer | undefined> {
  const blocks = blocksOf(topics)
  if (acks === 0) return unacknowledged(topics, blocks, context)
  if (blocks.size === 0) return answer(topics, noFailures)
  return Promise.allSettled(blocks).then(settled => answer(topics, failuresOf(blocks, settled)))
}

/** What an answer waits for: of thousands of partitions nearly always one promise. */
function blocksOf(topics: readonly TopicParts[]): Set<Promise<void>> {
  const blocks = new Set<Promise<void>>()
  for (const { parts } of topics)
    for (const { appended } of parts) if (appended) blocks.add(appended.committed)
  return blocks
}

/** Why those failed that did. */
type Failures = ReadonlyMap<Promise<void>, unknown>

const noFailures: Failures = new Map()

function failuresOf(
  blocks: ReadonlySet<Promise<void>>,
  settled: readonly PromiseSettledResult<void>[],
): Failures {
  if (settled.every(({ status }) => status === 'fulfilled')) return noFailures
  const failures = new Map<Promise<void>, unknown>()
  let index = 0
  for (const block of blocks) {
    const outcome = settled[index++]!
    if (outcome.status === 'rejected') failures.set(block, outcome.reason)
  }
  return failures
}

/** With acks=0 nothing is answered, but what comes behind it on the connection sees what it wrote. */
async function unacknowledged(
  topics: readonly TopicParts[],
  blocks: ReadonlySet<Promise<void>>,
  { connection }: Context,
): Promise<undefined> {
  const refused = topics.flatMap(({ parts }) => parts).find(({ error }) => error !== undefined)
  if (refused) connection.close(`an unacknowledged batch was refused: ${nameOf(refused.error)}`)
  const failed = (await Promise.allSettled(blocks)).some(({ status }) => status === 'rejected')
  if (failed) connection.close('an unacknowledged batch was not written')
}

/** What all batches for a topic have in common. */
interface Target {
  readonly topic: Topic
  readonly rules: ProduceRules
  readonly arrival: Arrival
  readonly logAppendTimeMs: bigint
  readonly options: AppendOptions
}

/** Throws as `findTopic` does. */
function targetOf(named: ProduceRequest['topicData'][number], context: Context): Target {
  const { catalog, settings, clock, version, hold } = context
  const topic = findTopic(catalog, version < firstTopicIdVersion ? named : { topicId: named.topicId })
  const rules = produceRules(topic, settings)
  const now = BigInt(clock.now())
  const { durability, isAppendTime } = rules
  return {
    topic,
    rules,
    arrival: { version, now, demands: rules.demands(now) },
    logAppendTimeMs: isAppendTime ? now : notAppendTime,
    options: { hold, durability, supportsEpochBump: mannerOf(version).addsPartitions },
  }
}

function appendTopic(data: ProduceRequest['topicData'][number], context: Context, gate: Gate): TopicParts {
  const { name, topicId } = data
  let target: Target | undefined
  const parts = data.partitionData.map(({ index, records }): Part => {
    let log: PartitionLog | undefined
    try {
      target ??= targetOf(data, context)
      log = findPartition(target.topic, index)
      const appended = append(target, index, log, records, context, gate)
      return { index, log, appended, logAppendTimeMs: appendTimeOf(appended, target), error: undefined }
    } catch (error) {
      if (!(error instanceof KafkaError || error instanceof RecordsError)) throw error
      return { index, log, appended: undefined, logAppendTimeMs: notAppendTime, error }
    }
  })
  return { name, topicId, parts }
}

/** A retry is told the greatest timestamp that its batch was stored with, whoever stamped it (UnifiedLog.append). */
function appendTimeOf({ storedTimestamp }: Appended, { logAppendTimeMs }: Target): bigint {
  return storedTimestamp === undefined ? logAppendTimeMs : BigInt(storedTimestamp)
}

function append(
  { topic, rules, arrival, options }: Target,
  partition: number,
  log: PartitionLog,
  records: Buffer | null,
  context: Context,
  { transactionalId, refusals }: Gate,
): Appended {
  if (topic.isInternal) {
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Cannot append to internal topic ${topic.name}`)
  }
  const submitted = produced(records, rules, arrival)
  const { batch, isRebuilt } = submitted
  if (batch.isTransactional) {
    checkTransaction(batch, { topic: topic.name, partition, log }, transactionalId, refusals, context)
  }
  const ownOptions = isRebuilt ? { ...options, hold: undefined } : options
  return topic.vlsn ? topic.vlsn.append(partition, submitted, ownOptions) : log.append(batch.view, ownOptions)
}

function answer(topics: readonly TopicParts[], failures: Failures): Answer {
  return {
    responses: topics.map(({ name, topicId, parts }) => ({
      name,
      topicId,
      partitionResponses: parts.map(part => answerOf(part, failures)),
    })),
  }
}

function answerOf(
  { index, log, appended, logAppendTimeMs, error }: Part,
  failures: Failures,
): PartitionAnswer {
  const failure = appended && failures.size > 0 ? failures.get(appended.committed) : error
  if (!appended || failure !== undefined) {
    const { recordErrors, errorMessage } = describe(failure)
    const error = nameOf(failure)
    const errorCode = errorCodes[error]
    // Where records or their producer are to blame, their log's start is told (ReplicaManager.processFailedRecord).
    const isJudgedByLog = recordErrors.length > 0 || producerErrors.has(error)
    const logStartOffset = isJudgedByLog ? log!.logStartOffset : -1n
    return { index, errorCode, baseOffset: -1n, logStartOffset, recordErrors, errorMessage }
  }
  return {
    index,
    errorCode: errorCodes.NONE,
    baseOffset: appended.baseOffset,
    logAppendTimeMs,
    logStartOffset: log!.logStartOffset,
    recordErrors: [],
  }
}

function nameOf(failure: unknown): ErrorName {
  if (failure instanceof KafkaError) return failure.error
  if (failure instanceof RecordsError) return failure.code
  throw failure
}

function describe(failure: unknown): {
  recordErrors: NonNullable<PartitionAnswer['recordErrors']>
  errorMessage: string
} {
  const faults = failure instanceof RecordsError ? failure.faults : []
  return {
    recordErrors: faults.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message })),
    errorMessage: (failure as Error).message,
  }
}
