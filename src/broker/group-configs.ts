import type { GroupConfigs, GroupConfigValues } from '../groups/group-configs.ts'
import type { Catalog } from './catalog.ts'
import { resourceTypes } from './configs/resources.ts'
import type { Settings } from './configs/settings.ts'
import { groupConfigs } from './configs/tables/group.ts'
import { inheritedText } from './configs/topic-config.ts'

/** What is set on groups, for their coordinator. */
export function groupConfigsOf(catalog: Catalog, settings: Settings): GroupConfigs {
  return {
    get(name, resourceName) {
      const text = catalog.configs({ resourceType: resourceTypes.group, resourceName }).get(name)
      const definition = groupConfigs[name]
      return definition.parse(
        name,
        text ?? inheritedText(definition, settings)!,
      ) as GroupConfigValues[typeof name]
    },
  }
}
