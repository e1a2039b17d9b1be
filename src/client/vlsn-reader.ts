import { offsetOfVlsn } from './bisection.ts'
import type { KafkaAdmin, KafkaClient } from './kafka-client.ts'
import { leastOf, PartitionCursor } from './partition-cursor.ts'
import { vlsnPartition } from './partitioners.ts'
import { TopicReader, type TopicReaderOptions } from './topic-reader.ts'
import { viewNameOf, vlsnSettingsOf } from './view.ts'
import { vlsnOf, vlsnLimit } from './vlsn-key.ts'
import { vlsnRecord, type VlsnRecord } from './vlsn-record.ts'

export interface VlsnReaderOptions extends Pick<TopicReaderOptions, 'groupId'> {
  readonly topic: string
  /** Whether to read the ordered view; where it is not said, the broker is asked whether there is one. */
  readonly view?: boolean
}

/** How records are found: a view has them by their VLSNs, plain partitions are looked through. */
interface Source {
  read(vlsn: bigint): Promise<VlsnRecord | undefined>
  range(from: bigint, to: bigint): AsyncGenerator<VlsnRecord>
  close(): Promise<void>
}

/**
 * Reads a topic that is numbered by VLSNs: one record, a range, or all, in the order of the VLSNs. On odradek it reads the ordered view
 * (`NAME.vlsn`), whose offsets are the VLSNs; elsewhere it finds the place in each partition by bisection and merges them.
 *
 * What was acknowledged before a call is found by it. The view shows nothing behind a number of which it is not decided whether it
 * is still to come; partitions show what they have.
 */
export class VlsnReader {
  readonly #admin: KafkaAdmin
  readonly #source: Source
  /** Whether the broker puts the order together, by its view. */
  readonly hasView: boolean

  private constructor(admin: KafkaAdmin, source: Source, hasView: boolean) {
    this.#admin = admin
    this.#source = source
    this.hasView = hasView
  }

  /** `kafka` is a client of kafkajs, or one with its interface. Rejects with its errors. */
  static async open(kafka: KafkaClient, options: VlsnReaderOptions): Promise<VlsnReader> {
    const { topic, view, groupId } = options
    const admin = kafka.admin()
    await admin.connect()
    try {
      const hasView = view ?? (await vlsnSettingsOf(admin, topic)).hasView
      const reader = await TopicReader.open(kafka, admin, hasView ? viewNameOf(topic) : topic, {
        ...(groupId !== undefined && { groupId }),
      })
      return new VlsnReader(admin, hasView ? new View(reader) : new Partitions(reader), hasView)
    } catch (error) {
      await admin.disconnect()
      throw error
    }
  }

  /** The record with this VLSN; undefined where there is none. */
  read(vlsn: bigint): Promise<VlsnRecord | undefined> {
    return this.#source.read(vlsn)
  }

  /** The records from VLSN `from` to before `to`, as far as they are there when it begins. */
  readRange(from: bigint, to: bigint): AsyncGenerator<VlsnRecord> {
    return this.#source.range(from, to)
  }

  /** All records that are there when it begins. */
  scanAll(): AsyncGenerator<VlsnRecord> {
    return this.readRange(0n, vlsnLimit)
  }

  async close(): Promise<void> {
    await this.#source.close()
    await this.#admin.disconnect()
  }
}

/** The ordered view: offsets are VLSNs. */
class View implements Source {
  readonly #reader: TopicReader

  constructor(reader: TopicReader) {
    this.#reader = reader
  }

  async read(vlsn: bigint): Promise<VlsnRecord | undefined> {
    for await (const record of this.range(vlsn, vlsn + 1n)) return record
    return undefined
  }

  async *range(from: bigint, to: bigint): AsyncGenerator<VlsnRecord> {
    const [bounds] = await this.#reader.bounds()
    const start = from > bounds!.low ? from : bounds!.low
    const end = to < bounds!.high ? to : bounds!.high
    for await (const message of this.#reader.scan(0, start, end)) {
      yield vlsnRecord(BigInt(message.offset), message)
    }
  }

  close(): Promise<void> {
    return this.#reader.close()
  }
}

/** The partitions of a topic as any broker has them; their count is the same for all records. */
class Partitions implements Source {
  readonly #reader: TopicReader

  constructor(reader: TopicReader) {
    this.#reader = reader
  }

  async read(vlsn: bigint): Promise<VlsnRecord | undefined> {
    const partition = vlsnPartition(vlsn, this.#reader.partitionCount)
    const bounds = (await this.#reader.bounds())[partition]!
    const offset = await offsetOfVlsn(this.#reader, partition, vlsn, bounds)
    if (offset === bounds.high) return undefined
    const { messages } = await this.#reader.fetch(partition, offset)
    const [message] = messages
    return message && vlsnOf(message.key) === vlsn ? vlsnRecord(vlsn, message) : undefined
  }

  async *range(from: bigint, to: bigint): AsyncGenerator<VlsnRecord> {
    const bounds = await this.#reader.bounds()
    const cursors = await Promise.all(
      bounds.map(async (each, partition) => {
        const offset = from === 0n ? each.low : await offsetOfVlsn(this.#reader, partition, from, each)
        return new PartitionCursor(this.#reader, partition, offset, each.high)
      }),
    )
    for (;;) {
      await Promise.all(cursors.map(cursor => cursor.fill()))
      const least = leastOf(cursors)
      if (!least || least.vlsn! >= to) return
      yield vlsnRecord(least.vlsn!, least.message!)
      least.advance()
    }
  }

  close(): Promise<void> {
    return this.#reader.close()
  }
}
