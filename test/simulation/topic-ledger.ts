import { batchesIn } from '../../src/protocol/records/batch.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import { hold } from './hold.ts'

/** A record that somebody tried to write. */
interface Attempt {
  /** Retries must not show. */
  readonly isExact: boolean
}

/** What is known of one partition of one topic, by its id. */
export class PartitionLedger {
  readonly name: string
  readonly #attempts = new Map<string, Attempt>()
  /** What was acknowledged, or seen by a reader, by offset. */
  readonly #known = new Map<bigint, string>()
  /** The greatest high watermark and log start that anybody was told. */
  #end = 0n
  #start = 0n
  /** The greatest offset that somebody tried to delete up to. */
  #cut = 0n

  constructor(name: string) {
    this.name = name
  }

  get end(): bigint {
    return this.#end
  }

  get start(): bigint {
    return this.#start
  }

  /** Below this there may be nothing left. */
  get cutOffset(): bigint {
    return this.#cut
  }

  attempt(value: string, isExact: boolean): void {
    this.#attempts.set(value, { isExact })
  }

  cut(offset: bigint): void {
    if (offset > this.#cut) this.#cut = offset
  }

  /** A record was acknowledged at, or read from, this offset. */
  learn(offset: bigint, value: string, how: 'acknowledged' | 'read'): void {
    const known = this.#known.get(offset)
    hold(
      known === undefined || known === value,
      () => `${this.name} offset ${offset} was ${known}, is ${value} (${how})`,
    )
    hold(this.#attempts.has(value), () => `${this.name} offset ${offset} is ${value}, which nobody wrote`)
    this.#known.set(offset, value)
  }

  /** Somebody is told the high watermark, asked after everything that was told before had been. */
  told(end: bigint): void {
    hold(end >= this.#end, () => `${this.name} ends at ${end} after ${this.#end}`)
    this.#end = end
  }

  toldStart(start: bigint): void {
    hold(start >= this.#start, () => `${this.name} starts at ${start} after ${this.#start}`)
    hold(start <= this.#cut, () => `${this.name} starts at ${start}, and nobody deleted beyond ${this.#cut}`)
    this.#start = start
  }

  /** Takes in whole batches as they were fetched from `from` on; returns where to go on. */
  read(bytes: Buffer, from: bigint): bigint {
    let next = from
    for (const batch of batchesIn(bytes)) {
      hold(batch.isSound, () => `${this.name} has a batch with a wrong checksum at ${batch.baseOffset}`)
      for (const { offset, value } of readRecords(batch)) {
        if (offset < from) continue
        hold(offset === next, () => `${this.name} goes on at ${offset} where ${next} is expected`)
        this.learn(offset, nameOf(value), 'read')
        next = offset + 1n
      }
    }
    return next
  }

  /** Holds the whole of what is there against what was promised. */
  verify(start: bigint, end: bigint, values: readonly string[]): void {
    hold(
      BigInt(values.length) === end - start,
      () => `${this.name} holds ${values.length} from ${start} to ${end}`,
    )
    for (const [offset, value] of this.#known) {
      if (offset < start) continue
      const found = values[Number(offset - start)]
      hold(found === value, () => `${this.name} offset ${offset} was ${value}, and is ${found} now`)
    }
    const seen = new Set<string>()
    for (const value of values) {
      const isAgain = seen.has(value)
      hold(!isAgain || !this.#attempts.get(value)!.isExact, () => `${this.name} has ${value} twice`)
      seen.add(value)
    }
  }
}

/** The head of a value, which is unlike that of any other; the rest is filling. */
export function nameOf(value: Buffer | null): string {
  return value!.toString('latin1', 0, value!.indexOf(' '))
}

export interface KnownTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly PartitionLedger[]
  /** Whether it must be there, must not be, or may be either. */
  state: 'there' | 'gone' | 'unknown'
}

/** What is known of topics, by their ids. */
export class TopicLedger {
  readonly #topics = new Map<string, KnownTopic>()

  /** A topic of this id is there; the same again changes nothing. */
  add(name: string, topicId: string, partitionCount: number): KnownTopic {
    const found = this.#topics.get(topicId)
    if (found) {
      hold(found.partitions.length === partitionCount, () => `${name} has ${partitionCount} partitions`)
      return found
    }
    const partitions = Array.from(
      { length: partitionCount },
      (_, index) => new PartitionLedger(`${name}-${index}`),
    )
    const topic: KnownTopic = { name, topicId, partitions, state: 'there' }
    this.#topics.set(topicId, topic)
    return topic
  }

  all(): KnownTopic[] {
    return [...this.#topics.values()]
  }

  /** Those that are there, as far as anybody knows. */
  there(): KnownTopic[] {
    return this.all().filter(({ state }) => state === 'there')
  }
}
