import { KafkaError } from '../protocol/errors.ts'
import { addToSequence, none } from '../protocol/records/batch.ts'

/** A batch that a producer wrote, as far as a retry is recognised by it. */
export interface ProducedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: number
}

/** What a partition knows of an idempotent producer. */
export interface Producer {
  readonly producerId: bigint
  readonly epoch: number
  readonly lastTimestamp: number
  /** Of the coordinator that wrote its last marker; -1 where there is none. */
  readonly coordinatorEpoch: number
  /** The newest last, at most five. */
  readonly batches: readonly ProducedBatch[]
}

/** The producer's side of a batch. A coordinator writes for a producer without sequences: its base sequence is -1. */
export interface Sequenced {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastOffsetDelta: number
}

/** A marker that is to be written. */
export interface MarkerClaim {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  /** The level of `transaction.version` that the transaction goes by; from 2 on each end bumps the epoch (KIP-890). */
  readonly transactionVersion: number
  /** The producer has a transaction open here. */
  readonly isOpen: boolean
}

// ProducerStateEntry.NUM_BATCHES_TO_RETAIN: a client has at most five requests in flight.
const batchesMax = 5
const epochMax = 2 ** 15 - 1

/** Where the numbers of a batch begin, its first sequence, last sequence, last offset, offset delta and timestamp one after another. */
const batchWidth = 5

/**
 * The newest batches of one producer, in numbers: an object for each would outlive the turn that makes it, and with thousands of
 * partitions collecting those costs more than appending does.
 */
class NewestBatches {
  readonly #numbers = new Float64Array(batchesMax * batchWidth)
  length = 0

  /** Of the newest; -1 where there is none. */
  get lastSequence(): number {
    return this.length === 0 ? none : this.#numbers[(this.length - 1) * batchWidth + 1]!
  }

  push(
    firstSequence: number,
    lastSequence: number,
    lastOffset: number,
    offsetDelta: number,
    timestamp: number,
  ): void {
    const numbers = this.#numbers
    if (this.length === batchesMax) numbers.copyWithin(0, batchWidth)
    else this.length++
    const at = (this.length - 1) * batchWidth
    numbers[at] = firstSequence
    numbers[at + 1] = lastSequence
    numbers[at + 2] = lastOffset
    numbers[at + 3] = offsetDelta
    numbers[at + 4] = timestamp
  }

  find(firstSequence: number, lastSequence: number): ProducedBatch | undefined {
    for (let index = 0; index < this.length; index++) {
      const at = index * batchWidth
      if (this.#numbers[at] === firstSequence && this.#numbers[at + 1] === lastSequence) return this.at(index)
    }
    return undefined
  }

  at(index: number): ProducedBatch {
    const numbers = this.#numbers
    const at = index * batchWidth
    return {
      firstSequence: numbers[at]!,
      lastSequence: numbers[at + 1]!,
      lastOffset: numbers[at + 2]!,
      offsetDelta: numbers[at + 3]!,
      timestamp: numbers[at + 4]!,
    }
  }
}

class Entry implements Producer {
  readonly producerId: bigint
  epoch: number
  lastTimestamp = none
  coordinatorEpoch = none
  readonly newest = new NewestBatches()

  constructor(producerId: bigint, epoch: number) {
    this.producerId = producerId
    this.epoch = epoch
  }

  get batches(): ProducedBatch[] {
    const batches: ProducedBatch[] = []
    for (let index = 0; index < this.newest.length; index++) batches.push(this.newest.at(index))
    return batches
  }
}

/** Who wrote to a partition, so that retries are recognised and gaps refused (Kafka's ProducerStateManager). */
export class Producers implements Iterable<Producer> {
  readonly #byId = new Map<bigint, Entry>()
  /** Who wrote last: nearly always who writes next, and found without hashing. */
  #last: Entry | undefined
  /** Who has written nothing since this time, in milliseconds since 1970, may have been forgotten. */
  expiredMs = none

  get(producerId: bigint): Producer | undefined {
    return this.#find(producerId)
  }

  [Symbol.iterator](): IterableIterator<Producer> {
    return this.#byId.values()
  }

  #find(producerId: bigint): Entry | undefined {
    return this.#last?.producerId === producerId ? this.#last : this.#byId.get(producerId)
  }

  /**
   * Judges a batch before it is appended (ProducerAppendInfo.checkProducerEpoch, checkSequence). Returns the batch that it
   * repeats, if it repeats one of the last five. A producer that is not known starts where it likes, since what was known of it
   * may be gone; but at 0 where `mustBeginAtZero`. Throws INVALID_PRODUCER_EPOCH or OUT_OF_ORDER_SEQUENCE_NUMBER; a repetition
   * of something older than the last five is out of order too.
   */
  check(
    { producerId, producerEpoch, baseSequence, lastOffsetDelta }: Sequenced,
    mustBeginAtZero = false,
  ): ProducedBatch | undefined {
    const producer = this.#find(producerId)
    if (producer && producerEpoch < producer.epoch) throw oldEpoch(producerId, producerEpoch, producer.epoch)
    if (mustBeginAtZero && baseSequence > 0 && !producer?.newest.length) {
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Sequence ${baseSequence} of producer ${producerId}, of which nothing is known; with transaction version 2 it begins at 0`,
      )
    }
    if (!producer || baseSequence === none) return undefined
    if (producerEpoch > producer.epoch) {
      if (baseSequence === 0 || producer.epoch === none) return undefined
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Invalid sequence number for new epoch of producer ${producerId}: ${producerEpoch} (request epoch), ${baseSequence} (seq. number), ${producer.epoch} (current producer epoch)`,
      )
    }
    const current = producer.newest.lastSequence
    // Nearly always; and then it repeats nothing.
    if (current !== none && baseSequence === addToSequence(current, 1)) return undefined
    const repeated = producer.newest.find(baseSequence, addToSequence(baseSequence, lastOffsetDelta))
    if (repeated || (current === none && baseSequence === 0)) return repeated
    throw new KafkaError(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      `Out of order sequence number for producer ${producerId}: ${baseSequence} (incoming seq. number), ${current} (current end sequence number)`,
    )
  }

  /**
   * Judges a marker before it is appended (ProducerAppendInfo.checkProducerEpoch, checkCoordinatorEpoch). From transaction version
   * 2 on its epoch is above that of the data, so that an end that comes late cannot end the next transaction; except where the
   * epoch cannot rise, and where the same end was written before. Throws INVALID_PRODUCER_EPOCH or TRANSACTION_COORDINATOR_FENCED.
   */
  checkMarker(claim: MarkerClaim): void {
    const { producerId, producerEpoch, coordinatorEpoch, transactionVersion, isOpen } = claim
    const producer = this.#find(producerId)
    if (!producer) return
    const isRepeated = producerEpoch === producer.epoch && (!isOpen || producerEpoch === epochMax)
    const mustRise = transactionVersion >= 2 && !isRepeated
    if (mustRise ? producerEpoch <= producer.epoch : producerEpoch < producer.epoch)
      throw oldEpoch(producerId, producerEpoch, producer.epoch)
    if (coordinatorEpoch < producer.coordinatorEpoch) {
      throw new KafkaError(
        'TRANSACTION_COORDINATOR_FENCED',
        `Invalid coordinator epoch for producer ${producerId}: ${coordinatorEpoch} (zombie), ${producer.coordinatorEpoch} (current)`,
      )
    }
  }

  /** Notes a batch that was appended, or that recovery found. */
  note(
    { producerId, producerEpoch, baseSequence, lastOffsetDelta }: Sequenced,
    lastOffset: number,
    timestamp: number,
  ): void {
    const producer = this.#at(producerId, producerEpoch)
    const lastSequence = baseSequence === none ? none : addToSequence(baseSequence, lastOffsetDelta)
    producer.lastTimestamp = timestamp
    producer.newest.push(baseSequence, lastSequence, lastOffset, lastOffsetDelta, timestamp)
  }

  /** Notes a marker in the same way. Of one that compaction has emptied nothing but the producer's epoch is known. */
  noteMarker(
    producerId: bigint,
    producerEpoch: number,
    coordinatorEpoch: number | undefined,
    timestamp: number,
  ): void {
    const producer = this.#at(producerId, producerEpoch)
    producer.lastTimestamp = timestamp
    if (coordinatorEpoch !== undefined) producer.coordinatorEpoch = coordinatorEpoch
  }

  /** The producer's entry, of this epoch from now on: another epoch's sequences say nothing of it. */
  #at(producerId: bigint, epoch: number): Entry {
    let producer = this.#find(producerId)
    if (!producer) {
      producer = new Entry(producerId, epoch)
      this.#byId.set(producerId, producer)
    }
    this.#last = producer
    if (producer.epoch !== epoch) {
      producer.epoch = epoch
      producer.newest.length = 0
    }
    return producer
  }

  /** Forgets who has written nothing since `untilMs`, and is not `inTransaction` (ProducerStateManager.removeExpiredProducers). */
  expire(untilMs: number, inTransaction: (producerId: bigint) => boolean): void {
    for (const [producerId, { lastTimestamp }] of this.#byId) {
      if (lastTimestamp <= untilMs && !inTransaction(producerId)) this.#byId.delete(producerId)
    }
    this.#last = undefined
    this.expiredMs = Math.max(this.expiredMs, untilMs)
  }

  /** Puts a producer in its place as a checkpoint knew it. */
  restore(producer: Producer): void {
    const entry = this.#at(producer.producerId, producer.epoch)
    entry.lastTimestamp = producer.lastTimestamp
    entry.coordinatorEpoch = producer.coordinatorEpoch
    entry.newest.length = 0
    for (const { firstSequence, lastSequence, lastOffset, offsetDelta, timestamp } of producer.batches)
      entry.newest.push(firstSequence, lastSequence, lastOffset, offsetDelta, timestamp)
  }
}

function oldEpoch(producerId: bigint, given: number, seen: number): KafkaError {
  return new KafkaError(
    'INVALID_PRODUCER_EPOCH',
    `Epoch of producer ${producerId} is ${given}, which is smaller than the last seen epoch ${seen}`,
  )
}
