import type { Random } from '../base/random.ts'
import type { CoordinationEnvironment } from '../coordination/environment.ts'
import type { GroupSettings } from './settings.ts'

/** What the group coordinator is given to work with. */
export interface Environment extends CoordinationEnvironment {
  readonly random: Random
  readonly settings: GroupSettings
}
