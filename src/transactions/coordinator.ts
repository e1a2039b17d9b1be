import type { Cancel, Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { CoordinatorPartitions } from '../coordination/partitions.ts'
import type { CoordinatorKind } from '../coordination/state.ts'
import type { StateTopic, TransactionEnd } from '../coordination/state-topic.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { InitProducerIdRequest } from '../protocol/messages/22-init-producer-id.ts'
import type { ListTransactionsRequest } from '../protocol/messages/66-list-transactions.ts'
import { addPartitions, partitionsOf } from './add-partitions.ts'
import { auditState } from './audit.ts'
import { complete, writeMarkers } from './complete.ts'
import { describe, undescribed, type DescribedTransaction } from './describe.ts'
import { endTransaction, type EndRequest } from './end.ts'
import type { Environment, ProducerIdSource, TransactionMarkers } from './environment.ts'
import { needsProducerId, type ProducerIdentity } from './identity.ts'
import { aborting, initProducerId } from './init-producer-id.ts'
import { filterOf, list, type ListedTransaction } from './list.ts'
import { PartitionState } from './partition-state.ts'
import type { TopicPartitions } from './partitions.ts'
import type { TransactionSettings } from './settings.ts'
import type { Claim } from './transitions.ts'
import type { Turn } from './turn.ts'
import { abortTimedOut, removeExpired, timedOut } from './upkeep.ts'

/** What a transaction coordinator is made of. */
export interface TransactionCoordinatorOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: TransactionSettings
  /** `__transaction_state`. The leader epoch of one of its partitions is the epoch of the coordinator there. */
  readonly topic: StateTopic & { leaderEpoch(partition: number): number }
  readonly producerIds: ProducerIdSource
  readonly markers: TransactionMarkers
  reportBug?(error: unknown): void
}

const kind: CoordinatorKind<PartitionState, Environment> = {
  topicName: '__transaction_state',
  create: () => new PartitionState(),
  resume(turn) {
    const { state, environment } = turn
    for (const { transactionalId, isPrepared } of state.transactions.values())
      if (isPrepared) turn.onceSynced(() => environment.prepared(transactionalId))
  },
  audit: auditState,
}

/** How long the partitions of a transaction are left alone after one of them could not be told its end. */
const markerRetryMs = 100
/** How long it is waited until a log that did not take the completion of a transaction is tried again. */
const completionRetryMs = 1000

/**
 * The transaction coordinator: which producer a transactional id has, and what its transaction comes to. An end is decided once its
 * record is synced; then every partition of the transaction is told, by a marker in its log; then the transaction is complete. What
 * a crash interrupts goes on from there. Whatever is refused as a whole rejects with a KafkaError.
 */
export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions
  readonly #partitions: CoordinatorPartitions<PartitionState, Environment>
  /** The ends that are being carried out, by transactional id. One after another: no marker may come twice at the wrong time. */
  readonly #finishing = new Map<string, Promise<void>>()
  /** The ends that every partition has been told, and that `__transaction_state` does not have as complete yet. */
  readonly #written = new Map<string, TransactionEnd>()
  readonly #cancels = new Set<Cancel>()
  #isClosed = false

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options
    const environment: Environment = {
      clock: options.clock,
      logger: options.logger,
      settings: options.settings,
      reportBug: error => options.reportBug?.(error),
      prepared: transactionalId => this.#prepared(transactionalId),
    }
    this.#partitions = new CoordinatorPartitions(kind, options.topic, environment)
  }

  /** Reads the whole of `__transaction_state`, goes on with what was ending, and begins to look for what takes too long. */
  async load(): Promise<void> {
    await this.#partitions.load()
    const { abortTimedOutIntervalMs, removeExpiredIntervalMs } = this.#options.settings
    this.#repeat(abortTimedOutIntervalMs, () => this.#abortTimedOut())
    this.#repeat(removeExpiredIntervalMs, () => this.#removeExpired())
  }

  /** Carries out what is decided, and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const cancel of this.#cancels) cancel()
    await Promise.all(this.#finishing.values())
    await this.#partitions.close()
  }

  /** InitProducerId with a transactional id. A transaction that was under way has been aborted when it is answered. */
  async initProducerId(
    request: InitProducerIdRequest & { readonly transactionalId: string },
  ): Promise<ProducerIdentity> {
    const { transactionalId } = request
    const decide = (): Promise<ProducerIdentity | typeof aborting> =>
      this.#decide(transactionalId, (turn, producerId) => initProducerId(turn, request, producerId))
    let reply = await decide()
    if (reply === aborting) {
      await this.#finishing.get(transactionalId)
      // Kafka has the producer ask again; it need not.
      reply = await decide()
    }
    if (reply === aborting) throw new KafkaError('CONCURRENT_TRANSACTIONS')
    return reply
  }

  /** AddPartitionsToTxn: the partitions are in the producer's transaction once this resolves. */
  addPartitions(claim: Claim, partitions: TopicPartitions, clientVersion: number): Promise<void> {
    return this.#partitions.run(claim.transactionalId, turn =>
      addPartitions(turn, claim, partitions, clientVersion),
    )
  }

  /** The partitions of a producer's transaction, as they are synced. */
  partitionsOf(claim: Claim): Promise<TopicPartitions> {
    return this.#partitions.run(claim.transactionalId, turn => partitionsOf(turn, claim))
  }

  /**
   * Whether a producer may write to a partition in its transaction now, as far as is decided: its end, if there is one, is ordered
   * behind what is written before anything is awaited.
   */
  isOngoing(
    { transactionalId, producerId, producerEpoch }: Claim,
    topic: string,
    partition: number,
  ): boolean {
    const facts = this.#partitions.stateFor(transactionalId)?.transactions.get(transactionalId)?.facts
    return (
      facts?.state === 'Ongoing' &&
      facts.producerId === producerId &&
      facts.producerEpoch === producerEpoch &&
      facts.partitions.has(topic, partition)
    )
  }

  /**
   * EndTxn of a client that speaks this level of `transaction.version`. Resolves once the end is decided and every partition has been
   * told, if they all can be: what was committed can be read then. Kafka answers as soon as it is decided.
   */
  async end(request: EndRequest, clientVersion: number): Promise<ProducerIdentity> {
    const { transactionalId } = request
    const reply = await this.#decide(transactionalId, (turn, producerId) =>
      endTransaction(turn, request, clientVersion, producerId),
    )
    await this.#finishing.get(transactionalId)
    return reply
  }

  /** DescribeTransactions: each id with its own error. */
  describe(transactionalIds: readonly string[]): Promise<DescribedTransaction[]> {
    return Promise.all(
      transactionalIds.map(async transactionalId => {
        try {
          if (transactionalId === '') throw new KafkaError('INVALID_REQUEST')
          return await this.#partitions.run(transactionalId, turn => describe(turn, transactionalId))
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          return undescribed(transactionalId, error.code)
        }
      }),
    )
  }

  /** ListTransactions, and the asked states that there are not. */
  async list(
    request: ListTransactionsRequest,
  ): Promise<{ transactions: ListedTransaction[]; unknownStates: string[] }> {
    const filter = filterOf(request)
    const lists = await Promise.all(this.#partitions.runEach(turn => list(turn, filter)))
    return { transactions: lists.flat(), unknownStates: filter.unknownStates }
  }

  /** Somebody has deleted `__transaction_state`, and with it every transactional id. */
  stateDeleted(): void {
    this.#written.clear()
    this.#partitions.reset()
  }

  /** Compares all that is known with the log. Returns what is unsound, in words. */
  audit(): Promise<string[]> {
    return this.#partitions.audit()
  }

  /** Decides with a new producer id where the decision needs one. */
  async #decide<Reply>(
    transactionalId: string,
    decide: (turn: Turn, newProducerId: bigint | undefined) => Reply | typeof needsProducerId,
  ): Promise<Reply> {
    let newProducerId: bigint | undefined
    for (;;) {
      const reply = await this.#partitions.run(transactionalId, turn => decide(turn, newProducerId))
      if (reply !== needsProducerId) return reply as Reply
      newProducerId = await this.#options.producerIds.next()
    }
  }

  /** The end of a transaction is synced, now or when its log was read. */
  #prepared(transactionalId: string): void {
    // The log has failed meanwhile, and was read again: it may well fail again.
    if (this.#written.has(transactionalId))
      this.#after(completionRetryMs, () => this.#carryOut(transactionalId))
    else this.#carryOut(transactionalId)
  }

  /** Carries out the end of a transaction, behind what is being carried out for its id already. */
  #carryOut(transactionalId: string): void {
    const before = this.#finishing.get(transactionalId) ?? Promise.resolve()
    const finishing: Promise<void> = before
      .then(() => this.#finish(transactionalId))
      .catch((error: unknown) => this.#tell(error))
      .finally(() => {
        if (this.#finishing.get(transactionalId) === finishing) this.#finishing.delete(transactionalId)
      })
    this.#finishing.set(transactionalId, finishing)
  }

  /** Never two at a time for one id. A crash, or a log that fails, leaves the transaction prepared: it is finished when it is read. */
  async #finish(transactionalId: string): Promise<void> {
    const end = this.#written.get(transactionalId) ?? (await this.#writeMarkers(transactionalId))
    if (!end) return
    this.#written.set(transactionalId, end)
    const completed = this.#partitions.run(transactionalId, turn => {
      complete(turn, transactionalId, end)
      turn.onceSynced(() => this.#written.delete(transactionalId))
    })
    // The next transaction is decided behind this. Nobody waits for the record: without it the same would be done again.
    completed.catch((error: unknown) => this.#tell(error))
  }

  /** Tells all partitions of a transaction its end; undefined where nothing is ending, or not all could be told. */
  async #writeMarkers(transactionalId: string): Promise<TransactionEnd | undefined> {
    const { topic, markers } = this.#options
    const coordinatorEpoch = topic.leaderEpoch(this.#partitions.numberFor(transactionalId))
    const begun = await this.#partitions.run(transactionalId, turn =>
      writeMarkers(turn, transactionalId, markers, coordinatorEpoch),
    )
    if (!begun) return undefined
    return this.#judge(transactionalId, await begun.written, begun.end) ? begun.end : undefined
  }

  /** Whether all partitions know of the end; where one cannot be told for now, that is tried again later. */
  #judge(
    transactionalId: string,
    results: readonly PromiseSettledResult<void>[],
    end: TransactionEnd,
  ): boolean {
    const failures = results.flatMap(result =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    )
    const { logger } = this.#options
    let isWritten = true
    let isRetried = false
    for (const error of failures) {
      if (!(error instanceof KafkaError)) throw error
      // The topic was deleted; there is nothing to end.
      if (error.error === 'UNKNOWN_TOPIC_OR_PARTITION') continue
      if (error.error === 'INVALID_PRODUCER_EPOCH' || error.error === 'TRANSACTION_COORDINATOR_FENCED') {
        // Somebody has written markers by hand; there is nothing left to end.
        logger.warn({ err: error, transactionalId, end }, 'a partition refused the end of a transaction')
        continue
      }
      isWritten = false
      logger.error(
        { err: error, transactionalId, end },
        'a partition could not be told the end of a transaction',
      )
      // A log that has failed takes nothing any more before the next start.
      if (error.error !== 'KAFKA_STORAGE_ERROR') isRetried = true
    }
    if (isRetried) this.#after(markerRetryMs, () => this.#carryOut(transactionalId))
    return isWritten
  }

  async #abortTimedOut(): Promise<void> {
    // Each partition by itself: one whose log takes nothing any more keeps no other from it.
    const aborts = this.#partitions.runEach(timedOut).map(found => this.#abortAll(found))
    await Promise.all(aborts.map(abort => abort.catch((error: unknown) => this.#tell(error))))
  }

  async #abortAll(found: Promise<string[]>): Promise<void> {
    for (const transactionalId of await found) {
      await this.#decide(transactionalId, (turn, producerId) =>
        abortTimedOut(turn, transactionalId, producerId),
      )
      this.#options.logger.info({ transactionalId }, 'a transaction took too long and is aborted')
    }
  }

  async #removeExpired(): Promise<void> {
    await Promise.all(this.#partitions.runEach(removeExpired))
  }

  #repeat(intervalMs: number, work: () => Promise<void>): void {
    this.#after(intervalMs, () => {
      void work()
        .catch((error: unknown) => this.#tell(error))
        .then(() => this.#repeat(intervalMs, work))
    })
  }

  #after(delayMs: number, act: () => void): void {
    if (this.#isClosed) return
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#cancels.delete(cancel)
      act()
    })
    this.#cancels.add(cancel)
  }

  /** A log that cannot be written or read has told so itself. */
  #tell(error: unknown): void {
    if (error instanceof KafkaError) return
    this.#options.logger.error({ err: error }, 'a transaction went wrong')
    this.#options.reportBug?.(error)
  }
}
