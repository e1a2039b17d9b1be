import type { Clock } from '../base/clock.ts'
import { CommitSchedule, type CommitRule } from './commit-schedule.ts'
import { isStaleMember, type Consumption, type Handler } from './consumption.ts'
import type { BatchPayload, KafkaClient, KafkaConsumer, KafkaMessage } from './kafka-client.ts'
import { vlsnOf } from './vlsn-key.ts'

export interface PartitionConsumptionOptions {
  /** What is read: a topic, or a view, whose offsets are VLSNs. */
  readonly topic: string
  readonly groupId: string
  readonly rule: CommitRule
  readonly clock: Clock
  /** What is kept beside the offset of a partition whose last record is this one. */
  readonly metadataOf?: (message: KafkaMessage) => string
  /** Hears of what ends the consumer. */
  readonly failed: (error: unknown) => void
}

// Java's fetch.max.wait.ms. kafkajs leaves only when its fetches are answered, and waits ten times as long by default.
const waitMs = 500

interface Position {
  readonly offset: string
  readonly metadata: string | null
}

/** Reading as any member of any group does: the partitions that are assigned to it, and an offset committed for each. */
export class PartitionConsumption implements Consumption {
  readonly #options: PartitionConsumptionOptions
  readonly #consumer: KafkaConsumer
  readonly #schedule: CommitSchedule
  /** What is done and not committed, by partition. */
  readonly #done = new Map<number, Position>()
  /** The batch in hand, or the last one. */
  #arriving: Promise<void> | undefined
  /** No further record is handed out: it is closing, or has failed. */
  #isStopped = false

  constructor(kafka: KafkaClient, options: PartitionConsumptionOptions) {
    const { groupId, rule, clock } = options
    this.#options = options
    this.#consumer = kafka.consumer({ groupId, maxWaitTimeInMs: waitMs, allowAutoTopicCreation: false })
    this.#schedule = new CommitSchedule(
      rule,
      clock,
      () => this.commit(),
      error => this.#fail(error),
    )
  }

  async start(handler: Handler): Promise<void> {
    const { topic } = this.#options
    const consumer = this.#consumer
    consumer.on('consumer.group_join', ({ payload }) => this.#joined(payload.memberAssignment[topic] ?? []))
    consumer.on('consumer.crash', ({ payload }) => {
      if (!payload.restart) this.#fail(payload.error)
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: payload => (this.#arriving = this.#arrived(payload, handler)),
    })
  }

  /** What others own now is theirs to commit. */
  #joined(partitions: readonly number[]): void {
    for (const partition of this.#done.keys()) {
      if (!partitions.includes(partition)) this.#done.delete(partition)
    }
  }

  async #arrived(payload: BatchPayload, handler: Handler): Promise<void> {
    const { batch } = payload
    for (const message of batch.messages) {
      if (!payload.isRunning() || payload.isStale() || this.#isStopped) return
      const { offset, key, value, headers = {}, timestamp } = message
      try {
        await handler({ vlsn: vlsnOf(key), key, value, headers, timestampMs: Number(timestamp) })
      } catch (error) {
        // What comes behind it is not read, here or by kafkajs's own trying again.
        return this.#fail(error)
      }
      this.#done.set(batch.partition, {
        offset: String(BigInt(offset) + 1n),
        metadata: this.#options.metadataOf?.(message) ?? null,
      })
      payload.resolveOffset(offset)
      await this.#schedule.done()
      await this.#heartbeat(payload)
    }
  }

  /** Where the group is changing, what is done is committed while it still may be. */
  async #heartbeat(payload: BatchPayload): Promise<void> {
    try {
      await payload.heartbeat()
    } catch (error) {
      if (this.#options.rule.autoCommit) await this.commit()
      throw error
    }
  }

  #fail(error: unknown): void {
    this.#isStopped = true
    this.#options.failed(error)
  }

  async commit(): Promise<void> {
    const { topic } = this.#options
    const committing = [...this.#done]
    if (committing.length === 0) return
    try {
      await this.#consumer.commitOffsets(
        committing.map(([partition, position]) => ({ topic, partition, ...position })),
      )
    } catch (error) {
      if (!isStaleMember(error)) throw error
    }
    for (const [partition, position] of committing) {
      if (this.#done.get(partition) === position) this.#done.delete(partition)
    }
  }

  async close(): Promise<void> {
    this.#isStopped = true
    // The record in hand is done first, and committed with the others.
    await this.#arriving?.catch(() => {})
    try {
      await this.#schedule.close()
    } finally {
      await this.#consumer.disconnect()
    }
  }
}
