import type { Sequencer } from '../sequencers/sequencer.ts'
import { lastVlsn } from './bisection.ts'
import type { KafkaAdmin, KafkaClient, KafkaRecord, RecordHeaders } from './kafka-client.ts'
import { vlsnPartition } from './partitioners.ts'
import { Sender } from './sender.ts'
import { SendQueue } from './send-queue.ts'
import { TopicReader } from './topic-reader.ts'
import { partitionCountOf, viewNameOf, vlsnSettingsOf } from './view.ts'
import { afterHeader, int64, vlsnKey } from './vlsn-key.ts'

export interface VlsnProducerOptions {
  readonly topic: string
  /** Counts the VLSNs: any sequencer of odradek/sequencers, used for this topic alone. It stays the caller's, to be closed after this. */
  readonly sequencer: Sequencer
}

/** What is written: its bytes, or a text in UTF-8, and headers if need be. */
export interface VlsnDraft {
  readonly value: Buffer | string | null
  readonly headers?: RecordHeaders
}

/**
 * Writes records that are numbered one after another, by a counter that survives: the key is the VLSN, the partition its remainder. A number
 * is kept before it is used, so that no crash uses one twice; what a crash loses is named in the header `odradek.vlsn.after`, so that the
 * view need not wait for it. One producer at a time writes a topic.
 *
 * ```ts
 * const folder = await SequencerFolder.open('/var/lib/events')
 * const producer = await VlsnProducer.open(kafka, { topic: 'events', sequencer: await folder.obelisk('events') })
 * await producer.write('made') // 0n
 * ```
 */
export class VlsnProducer {
  readonly #topic: string
  readonly #sequencer: Sequencer
  readonly #admin: KafkaAdmin
  readonly #sender: Sender
  readonly #queue = new SendQueue<VlsnDraft, bigint>(drafts => this.#send(drafts))
  #partitionCount: number
  /** The last VLSN that is known to be stored; -1 for none. */
  #last: bigint

  private constructor(
    options: VlsnProducerOptions,
    admin: KafkaAdmin,
    sender: Sender,
    found: { partitionCount: number; last: bigint },
  ) {
    this.#topic = options.topic
    this.#sequencer = options.sequencer
    this.#admin = admin
    this.#sender = sender
    this.#partitionCount = found.partitionCount
    this.#last = found.last
  }

  /**
   * Looks for the greatest VLSN that the topic holds, committed or not, and moves the counter beyond it if it has fallen behind, say
   * because its file was lost. Rejects with the client's errors, SequencerError, or TypeError where the topic holds keys that are no VLSNs.
   */
  static async open(kafka: KafkaClient, options: VlsnProducerOptions): Promise<VlsnProducer> {
    const { topic, sequencer } = options
    const admin = kafka.admin()
    await admin.connect()
    try {
      const { last, next } = await usedVlsns(kafka, admin, topic)
      await moveTo(sequencer, next)
      const partitionCount = await partitionCountOf(admin, topic)
      const sender = new Sender(kafka)
      await sender.connect()
      return new VlsnProducer(options, admin, sender, { partitionCount, last })
    } catch (error) {
      await admin.disconnect()
      throw error
    }
  }

  /**
   * Writes one record and tells its VLSN, once the broker has it. Calls made at once share sends, in their order. Rejects with the client's or
   * the sequencer's error: then the record may be there or not, and its number is never used again.
   */
  write(value: VlsnDraft['value'], headers?: RecordHeaders): Promise<bigint> {
    const draft = headers ? { value, headers } : { value }
    return this.#queue.add(draft, value === null ? 0 : Buffer.byteLength(value))
  }

  /** Writes records whose VLSNs rise in their order, and tells them. */
  writeBatch(records: readonly (VlsnDraft | VlsnDraft['value'])[]): Promise<bigint[]> {
    return Promise.all(
      records.map(each =>
        each === null || typeof each === 'string' || Buffer.isBuffer(each)
          ? this.write(each)
          : this.write(each.value, each.headers),
      ),
    )
  }

  async #send(drafts: readonly VlsnDraft[]): Promise<bigint[]> {
    // Partitions may have been added, which is one reason to be refused.
    if (!this.#sender.isSure) this.#partitionCount = await partitionCountOf(this.#admin, this.#topic)
    const first = await this.#sequencer.reserve(drafts.length)
    const messages = drafts.map((draft, index) => this.#record(first + BigInt(index), draft, index === 0))
    await this.#sender.send(this.#topic, messages)
    this.#last = first + BigInt(drafts.length - 1)
    return drafts.map((_, index) => first + BigInt(index))
  }

  #record(vlsn: bigint, { value, headers }: VlsnDraft, isFirst: boolean): KafkaRecord {
    const isBehindGap = isFirst && vlsn !== this.#last + 1n
    return {
      key: vlsnKey(vlsn),
      value,
      partition: vlsnPartition(vlsn, this.#partitionCount),
      ...((headers || isBehindGap) && {
        headers: { ...headers, ...(isBehindGap && { [afterHeader]: int64(this.#last) }) },
      }),
    }
  }

  /** Waits for what is being written, and leaves. Nothing may be written afterwards. */
  async close(): Promise<void> {
    await this.#queue.idle()
    await this.#sender.close()
    await this.#admin.disconnect()
  }
}

/** The greatest VLSN that is stored, -1 for none, and the first that nobody has used as far as the broker knows. */
async function usedVlsns(
  kafka: KafkaClient,
  admin: KafkaAdmin,
  topic: string,
): Promise<{ last: bigint; next: bigint }> {
  const { hasView, start } = await vlsnSettingsOf(admin, topic)
  const offsets = await admin.fetchTopicOffsets(topic)
  let last: bigint | undefined
  if (offsets.some(({ low, high }) => low !== high)) {
    const reader = await TopicReader.open(kafka, admin, topic, { isUncommitted: true })
    try {
      last = await lastVlsn(reader)
    } finally {
      await reader.close()
    }
  }
  // What retention has deleted was used too.
  const [view] = hasView ? await admin.fetchTopicOffsets(viewNameOf(topic)) : []
  const viewEnd = BigInt(view?.high ?? 0)
  const stored = (last ?? -1n) + 1n
  const used = stored > viewEnd ? stored : viewEnd
  return { last: used - 1n, next: used > start ? used : start }
}

async function moveTo(sequencer: Sequencer, next: bigint): Promise<void> {
  while (sequencer.value < next) {
    const missing = next - sequencer.value
    await sequencer.reserve(missing < Number.MAX_SAFE_INTEGER ? Number(missing) : Number.MAX_SAFE_INTEGER)
  }
}
