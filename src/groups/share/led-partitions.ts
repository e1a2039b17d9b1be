import { KafkaError } from '../../protocol/errors.ts'
import { LedPartition, type ShareLeadership, type ShareLog } from './led-partition.ts'
import { coordinatorKey, type ShareKey } from './state/key.ts'

interface Led {
  readonly opening: Promise<LedPartition>
  partition: LedPartition | undefined
}

/** The share partitions that somebody reads, each opened at its first use (SharePartitionManager). */
export class LedPartitions {
  readonly #leadership: ShareLeadership
  readonly #led = new Map<string, Led>()

  constructor(leadership: ShareLeadership) {
    this.#leadership = leadership
    leadership.states.onReset(key => this.end(key))
  }

  /** The share partition if it is open; nobody holds any of its records otherwise. */
  get(key: ShareKey): LedPartition | undefined {
    return this.#led.get(coordinatorKey(key))?.partition
  }

  /** Opens a share partition. Rejects with a KafkaError that a client understands. */
  open(key: ShareKey, log: ShareLog): Promise<LedPartition> {
    const id = coordinatorKey(key)
    const known = this.#led.get(id)
    if (known && !known.partition?.isOver) return known.opening
    const led: Led = { opening: LedPartition.open(key, log, this.#leadership), partition: undefined }
    this.#led.set(id, led)
    return this.#opened(id, led)
  }

  async #opened(id: string, led: Led): Promise<LedPartition> {
    try {
      led.partition = await led.opening
    } catch (error) {
      if (this.#led.get(id) === led) this.#led.delete(id)
      throw error
    }
    // It was reset while it was read.
    if (this.#led.get(id) !== led) led.partition.end()
    return led.partition
  }

  /** The open share partitions of a group. */
  ofGroup(groupId: string): LedPartition[] {
    return Array.from(this.#led.values()).flatMap(({ partition }) =>
      partition?.key.groupId === groupId ? partition : [],
    )
  }

  /** Ends what is known of a share partition. */
  end(key: ShareKey): void {
    const id = coordinatorKey(key)
    this.#led.get(id)?.partition?.end()
    this.#led.delete(id)
  }

  close(): void {
    for (const { partition } of Array.from(this.#led.values())) if (partition) this.end(partition.key)
  }

  audit(): string[] {
    return Array.from(this.#led.values()).flatMap(({ partition }) => partition?.audit() ?? [])
  }
}

/** What a client is told when a share partition cannot be read or written (SharePartition.fetchPersisterError). */
export function clientError(error: unknown): KafkaError {
  if (!(error instanceof KafkaError)) throw error
  switch (error.error) {
    case 'NOT_COORDINATOR':
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'COORDINATOR_LOAD_IN_PROGRESS':
      return new KafkaError('COORDINATOR_NOT_AVAILABLE', error.message)
    case 'FENCED_LEADER_EPOCH':
    case 'FENCED_STATE_EPOCH':
      return new KafkaError('NOT_LEADER_OR_FOLLOWER', error.message)
    default:
      return error
  }
}
