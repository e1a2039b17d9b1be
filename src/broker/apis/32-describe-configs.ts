/**
 * DescribeConfigs. Behaviour: every setting of a topic, a broker or a group with its value, where that came from, and
 * what it would be otherwise. A broker without a name stands for what was set for all brokers while they run. Each
 * resource is refused on its own. Documentation says what a setting does here, not what it does in Kafka.
 *
 * Versions: synonyms and sources from 1, types and documentation from 3, flexible from 4.
 *
 * Skipped: loggers (KIP-412) and client metrics subscriptions (KIP-714).
 */
import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../../protocol/messages/32-describe-configs.ts'
import type { Draft } from '../../protocol/schema.ts'
import { api } from '../api.ts'
import { faultOfName } from '../catalog.ts'
import {
  describeAllBrokers,
  describeBroker,
  describeGroup,
  describeTopic,
  type ConfigEntry,
} from '../configs/describe.ts'
import { resourceTypes } from '../configs/resources.ts'
import type { Context } from '../context.ts'

type Resource = DescribeConfigsRequest['resources'][number]
type Result = Draft<typeof DescribeConfigsResponse>['results'][number]

export const describeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: '1-4',
  request: DescribeConfigsRequest,
  response: DescribeConfigsResponse,

  handle: (request, context) => ({
    results: request.resources.map(resource => describe(resource, request, context)),
  }),

  refuse: (request, errorCode) => ({
    results: request.resources.map(resource => refusal(resource, errorCode, null)),
  }),
})

function describe(resource: Resource, request: DescribeConfigsRequest, context: Context): Result {
  const { resourceType, resourceName, configurationKeys } = resource
  try {
    const isAll = configurationKeys === null || configurationKeys.length === 0
    const configs = entriesOf(resource, context)
      .filter(({ name }) => isAll || configurationKeys.includes(name))
      .map(entry => ({
        ...entry,
        synonyms: request.includeSynonyms ? entry.synonyms : [],
        documentation: request.includeDocumentation ? entry.documentation : null,
      }))
    return { errorCode: errorCodes.NONE, errorMessage: '', resourceType, resourceName, configs }
  } catch (error) {
    if (error instanceof KafkaError) return refusal(resource, error.code, error.message)
    throw error
  }
}

function entriesOf(resource: Resource, { catalog, settings }: Context): ConfigEntry[] {
  const { resourceType, resourceName } = resource
  switch (resourceType) {
    case resourceTypes.topic: {
      const fault = faultOfName(resourceName)
      if (fault) throw new KafkaError('INVALID_TOPIC_EXCEPTION', fault)
      const topic = catalog.readable(resourceName)
      if (!topic) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', '')
      return describeTopic(topic.configs, settings)
    }
    case resourceTypes.broker:
      if (resourceName === '') return describeAllBrokers(settings)
      checkBrokerId(resourceName, settings.get('node.id'))
      return describeBroker(settings)
    case resourceTypes.group:
      if (resourceName === '') throw new KafkaError('INVALID_REQUEST', 'Group name must not be empty')
      return describeGroup(catalog.configs(resource), settings)
    default:
      throw new KafkaError('INVALID_REQUEST', `Unsupported resource type: ${resourceType}`)
  }
}

function checkBrokerId(text: string, nodeId: number): void {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new KafkaError('INVALID_REQUEST', `Broker id must be an integer, but it is: ${text}`)
  }
  if (Number(text) === nodeId) return
  const message = `Unexpected broker id, expected ${nodeId} or empty string, but received ${text}`
  throw new KafkaError('INVALID_REQUEST', message)
}

function refusal(resource: Resource, errorCode: number, errorMessage: string | null): Result {
  const { resourceType, resourceName } = resource
  return { errorCode, errorMessage, resourceType, resourceName, configs: [] }
}
