import { vlsnOfMessage } from './bisection.ts'
import type { KafkaMessage } from './kafka-client.ts'
import type { TopicReader } from './topic-reader.ts'

/** The records of one partition one after another, each with its VLSN. */
export class PartitionCursor {
  readonly partition: number
  readonly #reader: TopicReader
  /** Nothing from here on is read; undefined follows the partition. */
  readonly #end: bigint | undefined
  #nextOffset: bigint
  #messages: readonly KafkaMessage[] = []
  #at = 0
  #vlsn: bigint | undefined

  constructor(reader: TopicReader, partition: number, offset: bigint, end?: bigint) {
    this.partition = partition
    this.#reader = reader
    this.#nextOffset = offset
    this.#end = end
  }

  /** The record that it stands at; undefined until there is one. */
  get message(): KafkaMessage | undefined {
    return this.#messages[this.#at]
  }

  /** The VLSN of `message`; undefined as that is. */
  get vlsn(): bigint | undefined {
    return this.#vlsn
  }

  /** The offset of `message`, or of the record that comes next. */
  get position(): bigint {
    return this.message ? BigInt(this.message.offset) : this.#nextOffset
  }

  /** Reads on if it stands at no record, and if there may be one. */
  async fill(): Promise<void> {
    if (this.message || (this.#end !== undefined && this.#nextOffset >= this.#end)) return
    const { messages, nextOffset } = await this.#reader.fetch(this.partition, this.#nextOffset)
    const isInside = ({ offset }: KafkaMessage): boolean =>
      this.#end === undefined || BigInt(offset) < this.#end
    this.#messages = messages.filter(isInside)
    this.#at = 0
    // Nothing that may be read is left before the end.
    this.#nextOffset = messages.length === 0 && this.#end !== undefined ? this.#end : nextOffset
    this.#look()
  }

  /** Goes to the next record. */
  advance(): void {
    this.#at++
    this.#look()
  }

  #look(): void {
    const { message } = this
    this.#vlsn = message && vlsnOfMessage(message, this.#reader.topic)
  }
}

/** The one that stands at the least VLSN; undefined if none stands at any. */
export function leastOf(cursors: readonly PartitionCursor[]): PartitionCursor | undefined {
  let least: PartitionCursor | undefined
  for (const cursor of cursors) {
    if (cursor.vlsn !== undefined && (least === undefined || cursor.vlsn < least.vlsn!)) least = cursor
  }
  return least
}
