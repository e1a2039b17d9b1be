/**
 * AlterConfigs (KIP-133), of old clients. Behaviour: as IncrementalAlterConfigs, but what is given is all that is set afterwards:
 * a setting that is not named loses its value.
 *
 * Differences: a resource named twice is refused with INVALID_REQUEST, where Kafka never answers.
 */
import { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts'
import { api } from '../api.ts'
import { alterConfigs as alter, refuseAll } from '../config-changes.ts'
import { operations } from '../configs/operations.ts'

export const alterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: '0-2',
  request: AlterConfigsRequest,
  response: AlterConfigsResponse,

  handle({ resources, validateOnly }, context) {
    const asked = resources.map(({ configs, ...resource }) => ({
      ...resource,
      operations: configs.map(config => ({ ...config, configOperation: operations.set })),
    }))
    return alter(asked, { validateOnly, fromNothing: true }, context)
  },

  refuse: ({ resources }, errorCode) => refuseAll(resources, errorCode),
})
