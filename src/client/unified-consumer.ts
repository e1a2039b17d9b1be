import { systemClock, type Clock } from '../base/clock.ts'
import { markText } from './committed-vlsn.ts'
import {
  checked,
  ConsumerConfigError,
  consumerConfigFromToml,
  type CommitStrategy,
  type ConsumerConfig,
} from './consumer-config.ts'
import type { Consumption, Handler } from './consumption.ts'
import type { KafkaAdmin, KafkaClient, KafkaMessage } from './kafka-client.ts'
import { followLayout } from './layout-change.ts'
import { OrderedConsumption } from './ordered-consumption.ts'
import { PartitionConsumption } from './partition-consumption.ts'
import { partitionCountOf, viewNameOf, vlsnSettingsOf } from './view.ts'
import { vlsnOfMessage } from './bisection.ts'

export interface UnifiedConsumerOptions extends ConsumerConfig {
  readonly topic: string
  readonly groupId: string
  /** How long a missing VLSN is waited for where the broker has no view, in ms; 30000 by default. */
  readonly gapTimeoutMs?: number
  readonly clock?: Clock
}

const gapTimeoutMsDefault = 30_000
const autoCommitIntervalMsDefault = 5_000

/**
 * A consumer whose way to keep its position is a setting: see `CommitStrategy`. A record is committed after its handler is done with it, so a
 * crash repeats what came since the last commit, and skips nothing.
 *
 * ```ts
 * const consumer = await UnifiedConsumer.open(kafka, { topic: 'events', groupId: 'audit', commitStrategy: 'vlsn' })
 * const ended = consumer.run(({ vlsn, value }) => console.log(vlsn, String(value)))
 * await consumer.close()
 * await ended
 * ```
 */
export class UnifiedConsumer {
  readonly commitStrategy: CommitStrategy
  readonly #admin: KafkaAdmin
  readonly #consumption: Consumption
  #isRunning = false
  #closing: Promise<void> | undefined
  readonly #ended: Promise<void>
  #end!: (failure?: { error: unknown }) => void

  private constructor(
    strategy: CommitStrategy,
    admin: KafkaAdmin,
    consumption: (failed: (error: unknown) => void) => Consumption,
  ) {
    this.commitStrategy = strategy
    this.#admin = admin
    this.#ended = new Promise((resolve, reject) => {
      this.#end = failure => (failure ? reject(failure.error as Error) : resolve())
    })
    // It may fail before anybody waits for it.
    this.#ended.catch(() => {})
    this.#consumption = consumption(error => this.#end({ error }))
  }

  /**
   * `kafka` is a client of kafkajs, or one with its interface. Rejects with its errors, or ConsumerConfigError where the options make no
   * sense or the topic has another partition count than they say.
   */
  static async open(kafka: KafkaClient, options: UnifiedConsumerOptions): Promise<UnifiedConsumer> {
    const { topic, groupId, commitStrategy = 'per_partition', partitionCount } = checked(options)
    const { gapTimeoutMs = gapTimeoutMsDefault, clock = systemClock } = options
    const { autoCommit = true, autoCommitIntervalMs = autoCommitIntervalMsDefault } = options
    const admin = kafka.admin()
    await admin.connect()
    try {
      const count = await partitionCountOf(admin, topic)
      if (partitionCount !== undefined && partitionCount !== count) {
        throw new ConsumerConfigError(`${topic} has ${count} partitions, not ${partitionCount}`)
      }
      const isInOrder = commitStrategy === 'vlsn'
      const hasView = isInOrder && (await vlsnSettingsOf(admin, topic)).hasView
      if (commitStrategy === 'hybrid') await followLayout(kafka, admin, groupId, topic)
      const common = { groupId, rule: { autoCommit, autoCommitIntervalMs }, clock }
      return new UnifiedConsumer(commitStrategy, admin, failed => {
        if (isInOrder && !hasView) {
          return new OrderedConsumption(kafka, admin, { ...common, topic, gapTimeoutMs, failed })
        }
        return new PartitionConsumption(kafka, {
          ...common,
          topic: hasView ? viewNameOf(topic) : topic,
          failed,
          ...(commitStrategy === 'hybrid' && { metadataOf: message => hybridMark(message, topic, count) }),
        })
      })
    } catch (error) {
      await admin.disconnect()
      throw error
    }
  }

  /** The consumer `[consumer.NAME]` of a TOML text, in the group `name` unless another is given. */
  static async fromToml(
    kafka: KafkaClient,
    text: string,
    name: string,
    options: Omit<UnifiedConsumerOptions, keyof ConsumerConfig | 'groupId'> & { readonly groupId?: string },
  ): Promise<UnifiedConsumer> {
    return UnifiedConsumer.open(kafka, { groupId: name, ...options, ...consumerConfigFromToml(text, name) })
  }

  /**
   * Hands records to `handler`, one after another. Resolves once the consumer is closed; rejects with what the handler or the client
   * has failed with, and then the consumer has left its group. To be called once.
   */
  async run(handler: Handler): Promise<void> {
    if (this.#isRunning || this.#closing) throw new Error('a consumer runs once')
    this.#isRunning = true
    try {
      await this.#consumption.start(handler)
      await this.#ended
    } finally {
      await this.close()
    }
  }

  /** Commits what is done. Rejects with the client's error. */
  async commit(): Promise<void> {
    await this.#consumption.commit()
  }

  /**
   * Ends `run` when its handler is done, commits for the last time unless `autoCommit` is false, and leaves the group. A handler that
   * calls it must not wait for it.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    try {
      if (this.#isRunning) await this.#consumption.close()
    } finally {
      await this.#admin.disconnect()
      this.#end()
    }
  }
}

/** All VLSNs of the partition below the one behind this record's are done. */
function hybridMark(message: KafkaMessage, topic: string, partitionCount: number): string {
  return markText({ next: vlsnOfMessage(message, topic) + BigInt(partitionCount), partitionCount })
}
