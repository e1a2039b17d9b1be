import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { CompactionOptions } from '../storage/cleaning.ts'
import { offsetMapLength } from '../storage/compaction/offset-map.ts'
import { Pace } from '../storage/pace.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import { loadFactorDefault, type Store } from '../storage/store.ts'
import { catalogPartitionId, type Catalog } from './catalog.ts'
import type { Settings } from './configs/settings.ts'
import { Repetition } from './repetition.ts'

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
  readonly #repetitions: Repetition[] = []
  #running: Promise<unknown> = Promise.resolve()
  /** One that has not begun: it does for everyone who asks until then. */
  #reclaiming: Promise<void> | undefined
  #isClosed = false

  constructor(services: UpkeepServices) {
    const { settings, clock } = services
    this.#services = services
    this.#pace = new Pace(clock, () => settings.get('log.cleaner.io.max.bytes.per.second'))
  }

  /** Sets the timers. */
  start(): void {
    const { settings } = this.#services
    const check = async (): Promise<void> => {
      await this.#moveStarts()
      // Not waited for: behind a compaction that is held back it takes as long as that, and the next check is not to.
      void this.#reclaim().catch((error: unknown) => this.#tell(error))
    }
    // Kafka keeps its metadata log short by snapshots, with the log cleaner or without: the switch is about the other logs.
    const clean = (): Promise<void> =>
      this.#compact({
        isForced: false,
        only: settings.get('log.cleaner.enable') ? undefined : catalogPartitionId,
      })
    const firstMs = settings.get('log.initial.task.delay.ms')
    this.#repeat(firstMs, () => settings.get('log.retention.check.interval.ms'), check)
    this.#repeat(firstMs, () => settings.get('log.cleaner.backoff.ms'), clean)
    const expiryMs = (): number => settings.get('producer.id.expiration.check.interval.ms')
    this.#repeat(expiryMs(), expiryMs, () => this.expireProducers())
    // Kafka starts its cleaner's threads anew: a pause that was set by mistake holds up nothing once it is corrected.
    settings.listen(() => this.#repetitions.forEach(each => each.retime()))
  }

  #repeat(firstMs: number, pauseMs: () => number, work: () => Promise<void>): void {
    const repetition = new Repetition({
      clock: this.#services.clock,
      firstMs,
      pauseMs,
      work: () => work().catch((error: unknown) => this.#tell(error)),
    })
    this.#repetitions.push(repetition)
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
  async applyRetention(): Promise<void> {
    await this.#moveStarts()
    await this.#reclaim()
  }

  /** What retention promises does not wait for a compaction, which may be held back for days. */
  async #moveStarts(): Promise<void> {
    const { catalog } = this.#services
    const cuts: { log: PartitionLog; offset: bigint }[] = []
    for (const { partitions } of catalog.topics()) {
      for (const log of partitions) {
        const offset = log.retainedFrom()
        if (offset !== undefined) cuts.push({ log, offset })
      }
    }
    for (let from = 0; from < cuts.length && !this.#isClosed; from += cutsMax)
      await catalog.deleteRecords(cuts.slice(from, from + cutsMax))
  }

  #reclaim(): Promise<void> {
    return (this.#reclaiming ??= this.#inTurn(() => {
      this.#reclaiming = undefined
      const { store, settings } = this.#services
      return store.reclaim({ pace: this.#pace, liveRatio: settings.get('odradek.shard.rewrite.live.ratio') })
    }))
  }

  /** Compacts what may be compacted, whether it is time or not; `roll` ends active segments first. Rejects as `applyRetention`. */
  compact({ roll }: { roll: boolean }): Promise<void> {
    if (roll) {
      for (const log of this.#services.store.partitions()) if (log.settings.isCompacted) log.roll()
    }
    return this.#compact({ isForced: true })
  }

  #compact(which: Pick<CompactionOptions, 'isForced' | 'only'>): Promise<void> {
    const { store, settings } = this.#services
    return this.#inTurn(() => {
      const mapBytesMax = settings.get('log.cleaner.dedupe.buffer.size')
      return store.compact({
        ...which,
        pace: this.#pace,
        liveRatio: settings.get('odradek.shard.rewrite.live.ratio'),
        mapBytesMax,
        loadFactor: this.#loadFactor(mapBytesMax),
      })
    })
  }

  /** Kafka takes any number for one; with those that let the memory hold no key, nothing would be compacted. */
  #loadFactor(mapBytesMax: number): number {
    const factor = this.#services.settings.get('log.cleaner.io.buffer.load.factor')
    const isUsable = factor > 0 && factor <= 1 && offsetMapLength(1, factor) <= mapBytesMax
    return isUsable ? factor : loadFactorDefault
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#running.then(() => (this.#isClosed ? undefined : work()))
    this.#running = result.catch(() => {})
    return result
  }

  /** Ends the timers, and lets what is under way run to where the store ends it. */
  close(): void {
    this.#isClosed = true
    for (const repetition of this.#repetitions) repetition.stop()
    this.#pace.stop()
  }
}
