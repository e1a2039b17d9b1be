/**
 * ListConfigResources (KIP-1142). Behaviour: names what settings could be described of: every topic, the broker, and the groups
 * that have settings of their own. Asked for nothing, it names all of these.
 *
 * Versions: 0 asks for client metrics subscriptions alone, of which there are none; types from 1.
 *
 * Skipped: loggers, which Kafka names once per broker, since they cannot be described here.
 */
import { KafkaError, errorCodes } from '../../protocol/errors.ts'
import {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../../protocol/messages/74-list-config-resources.ts'
import { api } from '../api.ts'
import { resourceTypes } from '../configs/resources.ts'
import type { Context } from '../context.ts'

const allTypes: readonly number[] = Object.values(resourceTypes)

export const listConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: '0-1',
  request: ListConfigResourcesRequest,
  response: ListConfigResourcesResponse,

  handle(request, context) {
    const wanted = new Set(context.version === 0 ? [resourceTypes.clientMetrics] : request.resourceTypes)
    if ([...wanted].some(type => !allTypes.includes(type))) throw new KafkaError('UNSUPPORTED_VERSION')
    const types = wanted.size === 0 ? allTypes : [...wanted]
    return {
      errorCode: errorCodes.NONE,
      configResources: types.flatMap(resourceType =>
        namesOf(resourceType, context).map(resourceName => ({ resourceType, resourceName })),
      ),
    }
  },

  refuse: (_request, errorCode) => ({ errorCode, configResources: [] }),
})

function namesOf(resourceType: number, { catalog, settings }: Context): string[] {
  switch (resourceType) {
    case resourceTypes.topic:
      return catalog.readables().map(({ name }) => name)
    case resourceTypes.broker:
      return [String(settings.get('node.id'))]
    case resourceTypes.group:
      return catalog.configuredGroups()
    default:
      return []
  }
}
