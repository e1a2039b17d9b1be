import { KafkaError } from '../protocol/errors.ts'
import { addToSequence } from '../protocol/records/batch.ts'

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
  readonly epoch: number
  readonly lastTimestamp: number
  /** The newest last, at most five. */
  readonly batches: readonly ProducedBatch[]
}

/** The producer's side of a batch. */
export interface Sequenced {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastOffsetDelta: number
}

// ProducerStateEntry.NUM_BATCHES_TO_RETAIN: a client has at most five requests in flight.
const batchesMax = 5
const none = -1

interface Entry {
  epoch: number
  lastTimestamp: number
  batches: ProducedBatch[]
}

/** Who wrote to a partition, so that retries are recognised and gaps refused (Kafka's ProducerStateManager). */
export class Producers {
  readonly #byId = new Map<bigint, Entry>()

  /** Each producer by its id. */
  entries(): IterableIterator<[bigint, Producer]> {
    return this.#byId.entries()
  }

  get(producerId: bigint): Producer | undefined {
    return this.#byId.get(producerId)
  }

  /**
   * Judges a batch before it is appended (ProducerAppendInfo.checkProducerEpoch, checkSequence). Returns the batch that it
   * repeats, if it repeats one of the last five. A producer that is not known starts where it likes: what was known of it
   * may be gone. Throws INVALID_PRODUCER_EPOCH or OUT_OF_ORDER_SEQUENCE_NUMBER; a repetition of something older
   * than the last five is out of order too.
   */
  check({ producerId, producerEpoch, baseSequence, lastOffsetDelta }: Sequenced): ProducedBatch | undefined {
    const producer = this.#byId.get(producerId)
    if (!producer) return undefined
    if (producerEpoch < producer.epoch) {
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `Epoch of producer ${producerId} is ${producerEpoch}, which is smaller than the last seen epoch ${producer.epoch}`,
      )
    }
    if (producerEpoch > producer.epoch) {
      if (baseSequence === 0) return undefined
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Invalid sequence number for new epoch of producer ${producerId}: ${producerEpoch} (request epoch), ${baseSequence} (seq. number), ${producer.epoch} (current producer epoch)`,
      )
    }
    const lastSequence = addToSequence(baseSequence, lastOffsetDelta)
    const repeated = producer.batches.find(
      batch => batch.firstSequence === baseSequence && batch.lastSequence === lastSequence,
    )
    if (repeated) return repeated
    const current = producer.batches.at(-1)?.lastSequence ?? none
    if (baseSequence !== (current === none ? 0 : addToSequence(current, 1))) {
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Out of order sequence number for producer ${producerId}: ${baseSequence} (incoming seq. number), ${current} (current end sequence number)`,
      )
    }
    return undefined
  }

  /** Notes a batch that was appended, or that recovery found. */
  note(
    { producerId, producerEpoch, baseSequence, lastOffsetDelta }: Sequenced,
    lastOffset: number,
    timestamp: number,
  ): void {
    let producer = this.#byId.get(producerId)
    if (!producer)
      this.#byId.set(producerId, (producer = { epoch: producerEpoch, lastTimestamp: none, batches: [] }))
    if (producer.epoch !== producerEpoch) {
      producer.epoch = producerEpoch
      producer.batches.length = 0
    }
    if (producer.batches.length === batchesMax) producer.batches.shift()
    producer.lastTimestamp = timestamp
    producer.batches.push({
      firstSequence: baseSequence,
      lastSequence: addToSequence(baseSequence, lastOffsetDelta),
      lastOffset,
      offsetDelta: lastOffsetDelta,
      timestamp,
    })
  }

  /** Puts a producer in its place as a checkpoint knew it. */
  restore(producerId: bigint, { epoch, lastTimestamp, batches }: Producer): void {
    this.#byId.set(producerId, { epoch, lastTimestamp, batches: [...batches] })
  }
}
