import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'

/** What every coordinator is given to work with. */
export interface CoordinationEnvironment {
  readonly clock: Clock
  readonly logger: Logger
  /** Told of errors that are our own bug and that no request is refused with. */
  reportBug?(error: unknown): void
}
