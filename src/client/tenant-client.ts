import type { Sequencer } from '../sequencers/sequencer.ts'
import type { KafkaAdmin, KafkaClient, KafkaMessage, RecordHeaders } from './kafka-client.ts'
import { tenantPartition } from './partitioners.ts'
import { Sender } from './sender.ts'
import { SendQueue } from './send-queue.ts'
import { TopicReader } from './topic-reader.ts'
import { partitionCountOf } from './view.ts'

export interface TenantClientOptions {
  readonly topic: string
  /**
   * Opens a tenant's counter, any sequencer of odradek/sequencers, by a name that is made of the tenant's and fit for a file:
   * `name => folder.obelisk(name)`. It is called once for each tenant that is written; what it opens stays the caller's to close.
   */
  readonly counter: (name: string) => Promise<Sequencer>
}

/** A record of a tenant. */
export interface TenantRecord {
  readonly seq: bigint
  readonly value: Buffer | null
  readonly headers: RecordHeaders
  readonly timestampMs: number
}

interface Draft {
  readonly tenant: string
  readonly value: Buffer | string | null
  readonly headers: RecordHeaders | undefined
}

/**
 * Numbers the records of each tenant for itself: the key is `tenant:seq`, and the tenant alone decides the partition, so that all of a
 * tenant's records are in one, in the order of their numbers. (The seeds hash the whole key, which scatters a tenant over all partitions.)
 */
export class TenantClient {
  readonly #kafka: KafkaClient
  readonly #options: TenantClientOptions
  readonly #admin: KafkaAdmin
  readonly #sender: Sender
  readonly #partitionCount: number
  readonly #counters = new Map<string, Promise<Sequencer>>()
  readonly #queue = new SendQueue<Draft, bigint>(drafts => this.#send(drafts))
  #reader: Promise<TopicReader> | undefined

  private constructor(
    kafka: KafkaClient,
    options: TenantClientOptions,
    admin: KafkaAdmin,
    sender: Sender,
    partitionCount: number,
  ) {
    this.#kafka = kafka
    this.#options = options
    this.#admin = admin
    this.#sender = sender
    this.#partitionCount = partitionCount
  }

  /** `kafka` is a client of kafkajs, or one with its interface. Rejects with its errors. */
  static async open(kafka: KafkaClient, options: TenantClientOptions): Promise<TenantClient> {
    const admin = kafka.admin()
    await admin.connect()
    try {
      const partitionCount = await partitionCountOf(admin, options.topic)
      const sender = new Sender(kafka)
      await sender.connect()
      return new TenantClient(kafka, options, admin, sender, partitionCount)
    } catch (error) {
      await admin.disconnect()
      throw error
    }
  }

  /** Where a tenant's records are. */
  partitionOf(tenant: string): number {
    return tenantPartition(tenant, this.#partitionCount)
  }

  /**
   * Writes one record and tells its number among the tenant's, from 0 on. Calls made at once share sends, in their order. Rejects with the
   * client's or the counter's error: then the record may be there or not, and its number is never used again.
   */
  write(tenant: string, value: Draft['value'], headers?: RecordHeaders): Promise<bigint> {
    const length = tenant.length + (value === null ? 0 : Buffer.byteLength(value))
    return this.#queue.add({ tenant, value, headers }, length)
  }

  async #send(drafts: readonly Draft[]): Promise<bigint[]> {
    const seqs = await this.#reserve(drafts)
    const messages = drafts.map(({ tenant, value, headers }, index) => ({
      key: `${tenant}:${seqs[index]}`,
      value,
      partition: this.partitionOf(tenant),
      ...(headers && { headers }),
    }))
    await this.#sender.send(this.#options.topic, messages)
    return seqs
  }

  /** A range from each tenant's counter, in one step each, and a number of it for each draft. */
  async #reserve(drafts: readonly Draft[]): Promise<bigint[]> {
    const counts = new Map<string, number>()
    for (const { tenant } of drafts) counts.set(tenant, (counts.get(tenant) ?? 0) + 1)
    const next = new Map<string, bigint>()
    const reserving = [...counts].map(async ([tenant, count]) => {
      const counter = await this.#counterOf(tenant)
      next.set(tenant, await counter.reserve(count))
    })
    await Promise.all(reserving)
    return drafts.map(({ tenant }) => {
      const seq = next.get(tenant)!
      next.set(tenant, seq + 1n)
      return seq
    })
  }

  #counterOf(tenant: string): Promise<Sequencer> {
    const open = this.#counters.get(tenant)
    if (open) return open
    const opening = this.#options.counter(counterName(tenant))
    this.#counters.set(tenant, opening)
    opening.catch(() => this.#counters.delete(tenant))
    return opening
  }

  /** A tenant's records from number `from` to before `to`, in order, as far as they are there when it begins. It looks through one partition. */
  async *readTenantRange(tenant: string, from: bigint, to: bigint): AsyncGenerator<TenantRecord> {
    const reader = await this.#opened()
    const partition = this.partitionOf(tenant)
    const { low, high } = (await reader.bounds())[partition]!
    const prefix = `${tenant}:`
    for await (const message of reader.scan(partition, low, high)) {
      const seq = seqOf(message, prefix)
      if (seq === undefined || seq < from) continue
      if (seq >= to) return
      const { value, headers = {}, timestamp } = message
      yield { seq, value, headers, timestampMs: Number(timestamp) }
    }
  }

  /** Who only writes needs none. */
  #opened(): Promise<TopicReader> {
    return (this.#reader ??= TopicReader.open(this.#kafka, this.#admin, this.#options.topic))
  }

  /** Waits for what is being written, and leaves. */
  async close(): Promise<void> {
    await this.#queue.idle()
    await this.#sender.close()
    await (await this.#reader)?.close()
    await this.#admin.disconnect()
  }
}

/** In hexadecimal: file systems that take `A` for `a` would make one counter of two. */
function counterName(tenant: string): string {
  return `tenant-${Buffer.from(tenant).toString('hex')}`
}

/** The number in a key that begins with `tenant:`; undefined for the keys of others. */
function seqOf({ key }: KafkaMessage, prefix: string): bigint | undefined {
  const text = key?.toString()
  if (!text?.startsWith(prefix)) return undefined
  const seq = text.slice(prefix.length)
  return /^\d+$/.test(seq) ? BigInt(seq) : undefined
}
