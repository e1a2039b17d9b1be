import type { Random } from '../base/random.ts'
import type { CoordinationEnvironment } from '../coordination/environment.ts'
import type { GroupConfigs } from './group-configs.ts'
import type { GroupSettings } from './settings.ts'
import type { TopicLookup } from './topic-lookup.ts'

/** What the group coordinator is given to work with. */
export interface Environment extends CoordinationEnvironment {
  readonly random: Random
  readonly settings: GroupSettings
  /** What was set on single groups. */
  readonly configs: GroupConfigs
  /** What there is to read. */
  readonly lookup: TopicLookup
}
