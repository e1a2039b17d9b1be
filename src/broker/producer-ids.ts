import { KafkaError } from '../protocol/errors.ts'
import { SequencerError } from '../sequencers/errors.ts'
import type { ObeliskSequencer } from '../sequencers/obelisk.ts'

// One sync hands out this many; what is left of a range at a crash is lost, never repeated.
const rangeLength = 1000

/** Producer ids from the Obelisk sequencer, a synced range at a time (Kafka's ProducerIdManager). */
export class ProducerIds {
  readonly #sequencer: ObeliskSequencer
  #next = 0n
  #end = 0n
  #reservation: Promise<void> | undefined

  constructor(sequencer: ObeliskSequencer) {
    this.#sequencer = sequencer
  }

  /**
   * An id that was never given before and never will be again, not even after a crash. Rejects with KAFKA_STORAGE_ERROR
   * where the disk does not keep it; the next call tries again.
   */
  async next(): Promise<bigint> {
    while (this.#next === this.#end) {
      await (this.#reservation ??= this.#reserve().finally(() => (this.#reservation = undefined)))
    }
    return this.#next++
  }

  async #reserve(): Promise<void> {
    const first = await this.#sequencer.reserve(rangeLength).catch(refuse)
    this.#next = first
    this.#end = first + BigInt(rangeLength)
  }

  close(): Promise<void> {
    return this.#sequencer.close()
  }
}

function refuse(error: unknown): never {
  if (error instanceof SequencerError) throw new KafkaError('KAFKA_STORAGE_ERROR', error.message)
  throw error
}
