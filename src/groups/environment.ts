import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import type { GroupSettings } from './settings.ts'

/** What the coordinator is given to work with. */
export interface Environment {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly settings: GroupSettings
  /** Told of errors that are our own bug and that no request is refused with. */
  reportBug?(error: unknown): void
}
