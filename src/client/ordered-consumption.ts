import type { Clock } from '../base/clock.ts'
import { CommitSchedule, type CommitRule } from './commit-schedule.ts'
import { committedIn, markText } from './committed-vlsn.ts'
import { isStaleMember, type Consumption, type Handler } from './consumption.ts'
import type { KafkaAdmin, KafkaClient, KafkaConsumer } from './kafka-client.ts'
import { OrderedRecords } from './ordered-records.ts'
import { TopicReader } from './topic-reader.ts'

export interface OrderedConsumptionOptions {
  readonly topic: string
  readonly groupId: string
  readonly rule: CommitRule
  readonly gapTimeoutMs: number
  readonly clock: Clock
  readonly failed: (error: unknown) => void
}

// How long an idle topic is waited for in one fetch.
const waitMs = 100

/**
 * Reading all partitions in the order of the VLSNs where the broker has no view. Of a group, the member that is assigned partition 0 reads
 * everything, through a reader of its own; the others stand by. The one number is committed beside the offset of partition 0, which is
 * an ordinary commit: it is where that partition has been read to.
 */
export class OrderedConsumption implements Consumption {
  readonly #kafka: KafkaClient
  readonly #admin: KafkaAdmin
  readonly #options: OrderedConsumptionOptions
  readonly #member: KafkaConsumer
  readonly #schedule: CommitSchedule
  /** Begins anew whenever this member is given the topic. */
  #turn = 0
  #isClosing = false
  #reading: Promise<void> = Promise.resolve()
  #done: { readonly offset: bigint; readonly next: bigint; readonly partitionCount: number } | undefined

  constructor(kafka: KafkaClient, admin: KafkaAdmin, options: OrderedConsumptionOptions) {
    const { groupId, rule, clock, failed } = options
    this.#kafka = kafka
    this.#admin = admin
    this.#options = options
    this.#member = kafka.consumer({ groupId, maxWaitTimeInMs: waitMs, allowAutoTopicCreation: false })
    this.#schedule = new CommitSchedule(rule, clock, () => this.commit(), failed)
  }

  async start(handler: Handler): Promise<void> {
    const { topic, failed } = this.#options
    const member = this.#member
    member.on('consumer.group_join', ({ payload }) => {
      const partitions: number[] = payload.memberAssignment[topic] ?? []
      // It is in the group for its commits, and reads by other means.
      member.pause([{ topic }])
      this.#assigned(partitions.includes(0), handler)
    })
    member.on('consumer.crash', ({ payload }) => {
      if (!payload.restart) failed(payload.error)
    })
    await member.connect()
    await member.subscribe({ topics: [topic], fromBeginning: true })
    await member.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => {} })
  }

  #assigned(isReader: boolean, handler: Handler): void {
    const turn = ++this.#turn
    const before = this.#reading
    this.#reading = before
      .then(async () => {
        // Who has lost the topic must not set its new reader back, and does again what it had not committed.
        if (isReader && this.#options.rule.autoCommit) await this.commit()
        this.#done = undefined
        if (isReader) await this.#read(turn, handler)
      })
      .catch(this.#options.failed)
  }

  async #read(turn: number, handler: Handler): Promise<void> {
    const { topic, groupId } = this.#options
    const committed = await committedIn(this.#admin, groupId, topic)
    const next = committed.find(({ partition }) => partition === 0)?.mark?.next ?? 0n
    const reader = await TopicReader.open(this.#kafka, this.#admin, topic, { waitMs })
    try {
      const records = await OrderedRecords.from(next, reader, this.#options)
      const isOver = (): boolean => this.#isClosing || turn !== this.#turn
      while (!isOver()) {
        const found = await records.look()
        if (!found || isOver()) continue
        const { vlsn, message } = found
        const { key, value, headers = {}, timestamp } = message
        await handler({ vlsn, key, value, headers, timestampMs: Number(timestamp) })
        if (turn !== this.#turn) return
        records.pass()
        this.#done = { offset: records.positionOf(0), next: vlsn + 1n, partitionCount: reader.partitionCount }
        await this.#schedule.done()
      }
    } finally {
      await reader.close()
    }
  }

  async commit(): Promise<void> {
    const done = this.#done
    if (!done) return
    const { topic } = this.#options
    try {
      await this.#member.commitOffsets([
        { topic, partition: 0, offset: String(done.offset), metadata: markText(done) },
      ])
    } catch (error) {
      if (!isStaleMember(error)) throw error
    }
    if (this.#done === done) this.#done = undefined
  }

  async close(): Promise<void> {
    // The record in hand is done first, and committed.
    this.#isClosing = true
    await this.#reading
    try {
      await this.#schedule.close()
    } finally {
      await this.#member.disconnect()
    }
  }
}
