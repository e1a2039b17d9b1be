import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Region, Slabs } from '../base/slabs.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { GroupConfigs } from '../groups/group-configs.ts'
import type { ShareGroups } from '../groups/share/groups.ts'
import type { ShareReaders } from '../groups/share/readers.ts'
import type { ShareCoordinator } from '../groups/share/state/coordinator.ts'
import type { TransactionCoordinator } from '../transactions/coordinator.ts'
import type { Store } from '../storage/store.ts'
import type { Api } from './api.ts'
import type { Catalog } from './catalog.ts'
import type { Settings } from './configs/settings.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { Listeners } from './listeners.ts'
import type { Logger } from '../base/logger.ts'
import type { ReadMemory } from './read-memory.ts'
import type { RequestMemory } from './request-memory.ts'
import type { Purgatory } from './purgatory.ts'
import type { ProducerIds } from './producer-ids.ts'
import type { TransactionMarkers } from './transaction-markers.ts'

/** What the rooms work with. One of each in a broker. */
export interface Services {
  /** Every API that is served. */
  readonly apis: readonly Api[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly settings: Settings
  readonly listeners: Listeners
  readonly slabs: Slabs
  readonly requestMemory: RequestMemory
  readonly readMemory: ReadMemory
  readonly store: Store
  readonly catalog: Catalog
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly groupConfigs: GroupConfigs
  readonly shareGroups: ShareGroups
  readonly shareStates: ShareCoordinator
  readonly shareReaders: ShareReaders
  readonly producerIds: ProducerIds
  readonly transactionMarkers: TransactionMarkers
  readonly fetchSessions: FetchSessions
  readonly purgatory: Purgatory
  /** Told of every error that is our own bug, so that a test broker can fail its test. */
  reportBug(error: unknown): void
}

/** The connection that a request came over. */
export interface ConnectionInfo {
  /** Unique in this broker's life. */
  readonly id: number
  /** The name of the listener, as in `listeners`. */
  readonly listener: string
  /** The peer's address, without a port. */
  readonly clientHost: string
  /** Aborted when the connection is closed, so that what waits on its behalf can stop. */
  readonly closed: AbortSignal
  /** Ends the connection at once; the reason is logged. */
  close(reason: string): void
}

/** A request's surroundings: the services, and where it came from. */
export interface Context extends Services {
  readonly connection: ConnectionInfo
  readonly clientId: string | null
  /** The API version that the request was written in. */
  readonly version: number
  /** The memory that the request's `records` lie in, when it is counted; whoever keeps them retains it. */
  readonly hold: Region | undefined
  /**
   * Of a pipelined room: the order of this request is fixed no sooner than `until` has settled, so that the connection's later ones
   * wait for it. What is to be used then has to be kept first: a Produce without a `hold` is valid for this turn only.
   */
  holdBack(until: Promise<unknown>): void
  /** Has `release` called once the answer's bytes have been handed to the operating system, or will never be. */
  onSent(release: () => void): void
}
