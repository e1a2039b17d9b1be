/**
 * IncrementalAlterConfigs (KIP-339). Behaviour: settings of topics, brokers and groups are set, deleted, or added to and taken
 * from as lists, in one durable change that is in force when the answer leaves; each resource is changed whole or refused on its
 * own. A broker without a name stands for all brokers. `validateOnly` checks and changes nothing.
 *
 * Differences: an operation that there is not is refused with INVALID_REQUEST for topics and groups too, where Kafka fails; a
 * broker setting that nobody knows is refused, where Kafka takes it for some plugin's.
 *
 * Skipped: loggers (KIP-412), client metrics subscriptions (KIP-714), alter.config.policy.class.name.
 */
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts'
import { api } from '../api.ts'
import { alterConfigs, refuseAll } from '../config-changes.ts'

export const incrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: '0-1',
  request: IncrementalAlterConfigsRequest,
  response: IncrementalAlterConfigsResponse,

  handle({ resources, validateOnly }, context) {
    const asked = resources.map(({ configs, ...resource }) => ({ ...resource, operations: configs }))
    return alterConfigs(asked, { validateOnly, fromNothing: false }, context)
  },

  refuse: ({ resources }, errorCode) => refuseAll(resources, errorCode),
})
