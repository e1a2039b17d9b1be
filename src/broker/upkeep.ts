import type { Cancel, Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { CompactionOptions } from '../storage/cleaning.ts'
import { Pace } from '../storage/pace.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { Store } from '../storage/store.ts'
import type { Catalog } from './catalog.ts'
import type { Settings } from './configs/settings.ts'

export interface UpkeepServices {
  readonly store: Store
  readonly catalog: Catalog
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  reportBug(error: unknown): void
}

// One record of the metadata log for each; a batch of so many is some hundred kilobytes.
const cutsMax = 10_000

/** What a broker does to its logs of its own accord: retention, compaction, and giving space back. */
export class Upkeep {
  readonly #services: UpkeepServices
  readonly #pace: Pace
  readonly #cancels = new Set<Cancel>()
  #running: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(services: UpkeepServices) {
    const { settings, clock } = services
    this.#services = services
    this.#pace = new Pace(clock, () => settings.get('log.cleaner.io.max.bytes.per.second'))
  }

  /** Sets the timers. */
  start(): void {
    const { settings } = this.#services
    const check = (): Promise<void> => this.applyRetention()
    const clean = async (): Promise<void> => {
      if (settings.get('log.cleaner.enable')) await this.#compact({ isForced: false })
    }
    const firstMs = settings.get('log.initial.task.delay.ms')
    this.#repeat(firstMs, () => settings.get('log.retention.check.interval.ms'), check)
    this.#repeat(firstMs, () => settings.get('log.cleaner.backoff.ms'), clean)
    const expiryMs = (): number => settings.get('producer.id.expiration.check.interval.ms')
    this.#repeat(expiryMs(), expiryMs, () => this.expireProducers())
  }

  #repeat(delayMs: number, intervalMs: () => number, work: () => Promise<void>): void {
    if (this.#isClosed) return
    const cancel = this.#services.clock.after(delayMs, () => {
      this.#cancels.delete(cancel)
      void work()
        .catch((error: unknown) => this.#tell(error))
        .then(() => this.#repeat(intervalMs(), intervalMs, work))
    })
    this.#cancels.add(cancel)
  }

  /** Forgets producers that have not written for `producer.id.expiration.ms`. */
  async expireProducers(): Promise<void> {
    const { store, settings } = this.#services
    const expirationMs = settings.get('producer.id.expiration.ms')
    for (const log of store.partitions()) log.expireProducers(expirationMs)
  }

  /** The disk says no, a shard has failed: it is tried again later. Everything else is a bug. */
  #tell(error: unknown): void {
    if (this.#isClosed) return
    const isDisks = error instanceof KafkaError || (error as NodeJS.ErrnoException).code !== undefined
    if (isDisks) this.#services.logger.error({ error }, 'the upkeep of the logs was not finished')
    else this.#services.reportBug(error)
  }

  /**
   * Moves log starts by `retention.ms` and `retention.bytes`, durably, and then gives back the space of what is dead. Rejects with
   * KAFKA_STORAGE_ERROR, and with the disk's errors.
   */
  applyRetention(): Promise<void> {
    return this.#inTurn(async () => {
      const { catalog, store, settings } = this.#services
      const cuts: { log: PartitionLog; offset: bigint }[] = []
      for (const { partitions } of catalog.topics()) {
        for (const log of partitions) {
          const offset = log.retainedFrom()
          if (offset !== undefined) cuts.push({ log, offset })
        }
      }
      for (let from = 0; from < cuts.length; from += cutsMax)
        await catalog.deleteRecords(cuts.slice(from, from + cutsMax))
      const liveRatio = settings.get('odradek.shard.rewrite.live.ratio')
      await store.reclaim({ liveRatio, pace: this.#pace })
    })
  }

  /** Compacts what may be compacted, whether it is time or not; `roll` ends active segments first. Rejects as `applyRetention`. */
  compact({ roll }: { roll: boolean }): Promise<void> {
    if (roll) {
      for (const log of this.#services.store.partitions()) if (log.settings.isCompacted) log.roll()
    }
    return this.#compact({ isForced: true })
  }

  #compact({ isForced }: Pick<CompactionOptions, 'isForced'>): Promise<void> {
    const { store, settings } = this.#services
    return this.#inTurn(() =>
      store.compact({
        isForced,
        pace: this.#pace,
        liveRatio: settings.get('odradek.shard.rewrite.live.ratio'),
        mapBytesMax: settings.get('log.cleaner.dedupe.buffer.size'),
        loadFactor: settings.get('log.cleaner.io.buffer.load.factor'),
      }),
    )
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#running.then(() => (this.#isClosed ? undefined : work()))
    this.#running = result.catch(() => {})
    return result
  }

  /** Ends the timers, and lets what is under way run to where the store ends it. */
  close(): void {
    this.#isClosed = true
    for (const cancel of this.#cancels) cancel()
    this.#pace.stop()
  }
}
