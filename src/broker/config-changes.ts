import { errorCodes, KafkaError } from '../protocol/errors.ts'
import type { IncrementalAlterConfigsResponse } from '../protocol/messages/44-incremental-alter-configs.ts'
import type { Draft } from '../protocol/schema.ts'
import { faultOfName, type ConfigChange } from './catalog.ts'
import { validateBrokerConfigs } from './configs/broker-config.ts'
import { validateGroupConfigs } from './configs/group-config.ts'
import { checkOperations, operate, type ConfigOperation } from './configs/operations.ts'
import { resourceTypes, type ConfigResource } from './configs/resources.ts'
import { brokerConfigs } from './configs/settings.ts'
import { groupConfigs } from './configs/tables/group.ts'
import { topicConfigs } from './configs/tables/topic.ts'
import { checkUnchanged, validateTopicConfigs } from './configs/topic-config.ts'
import type { ConfigDefinition } from './configs/definition.ts'
import type { Context } from './context.ts'
import { noTopicId, refuseView } from './partitions.ts'

/** What a client wants of one resource. */
export interface AskedResource extends ConfigResource {
  readonly operations: readonly ConfigOperation[]
}

export interface AlterOptions {
  readonly validateOnly: boolean
  /** AlterConfigs: what is not named is deleted. */
  readonly fromNothing: boolean
}

type Answer = Draft<typeof IncrementalAlterConfigsResponse>

/**
 * Changes settings in one change, where each resource is changed whole or refused on its own
 * (ConfigAdminManager.preprocess, then ConfigurationControlManager).
 */
export async function alterConfigs(
  asked: readonly AskedResource[],
  options: AlterOptions,
  context: Context,
): Promise<Answer> {
  const counts = new Map<string, number>()
  for (const resource of asked) counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1)
  const judged = asked.map(resource => judge(resource, counts.get(keyOf(resource))! > 1, options, context))
  const changes = judged.flatMap(each => (each instanceof KafkaError ? [] : [each]))
  const outcomes = await context.catalog.alterConfigs(changes, options)
  const outcomeOf = new Map(changes.map((change, index) => [change, outcomes[index]]))
  return {
    responses: asked.map(({ resourceType, resourceName }, index) => {
      const each = judged[index]!
      const fault = each instanceof KafkaError ? each : outcomeOf.get(each)
      const errorCode = fault?.code ?? errorCodes.NONE
      return { resourceType, resourceName, errorCode, errorMessage: fault?.message ?? null }
    }),
  }
}

/** The answer that gives every resource the same error. */
export function refuseAll(asked: readonly ConfigResource[], errorCode: number): Answer {
  return {
    responses: asked.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      errorCode,
      errorMessage: null,
    })),
  }
}

function keyOf({ resourceType, resourceName }: ConfigResource): string {
  return `${resourceType}:${resourceName}`
}

function judge(
  resource: AskedResource,
  isTwin: boolean,
  options: AlterOptions,
  context: Context,
): ConfigChange | KafkaError {
  try {
    if (isTwin) throw invalidRequest('Each resource must appear at most once.')
    checkOperations(resource.operations)
    return changeOf(resource, options, context)
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}

type Decide = (current: ReadonlyMap<string, string>) => ReadonlyMap<string, string>

function changeOf(resource: AskedResource, options: AlterOptions, context: Context): ConfigChange {
  const { resourceType, resourceName } = resource
  const from =
    (definitions: Definitions, refusal: Refusal): Decide =>
    current =>
      operate(
        options.fromNothing ? new Map() : current,
        resource.operations,
        name => definitions[name],
        refusal,
      )
  switch (resourceType) {
    case resourceTypes.topic:
      return { ...resource, decide: topicDecision(resourceName, from(topicConfigs, notList), context) }
    case resourceTypes.broker: {
      const isPerBroker = resourceName !== ''
      if (isPerBroker) checkNodeId(resourceName, context)
      const decide = from(brokerConfigs, notListOfBroker)
      return {
        ...resource,
        decide(current) {
          const configs = decide(current)
          validateBrokerConfigs(configs, { isPerBroker, settings: context.settings })
          return configs
        },
      }
    }
    case resourceTypes.group: {
      const decide = from(groupConfigs, notList)
      return {
        ...resource,
        decide(current) {
          const configs = decide(current)
          if (resourceName === '') throw invalidRequest('Default group resources are not allowed.')
          validateGroupConfigs(configs, context.settings)
          return configs
        },
      }
    }
    case resourceTypes.brokerLogger:
      throw invalidRequest('Loggers have one level, that of odradek.log.level, and it is read at start')
    case resourceTypes.clientMetrics:
      throw invalidRequest('Client metrics subscriptions are not served')
    default:
      throw invalidRequest(`Unknown resource type ${resourceType}`)
  }
}

type Definitions = Readonly<Record<string, ConfigDefinition>>
type Refusal = (operation: string, name: string) => string

const notList: Refusal = (operation, name) =>
  `Can't ${operation} to key ${name} because its type is not LIST.`

const notListOfBroker: Refusal = (operation, name) =>
  name in brokerConfigs
    ? `Config value ${operation.toLowerCase()} is not allowed for config key: ${name}`
    : `Unknown config name: ${name}`

function topicDecision(name: string, decide: Decide, { catalog, settings }: Context): Decide {
  return current => {
    const configs = decide(current)
    if (name === '') throw invalidRequest('Default topic resources are not allowed.')
    const fault = faultOfName(name)
    if (fault) throw new KafkaError('INVALID_TOPIC_EXCEPTION', fault)
    validateTopicConfigs(
      [...configs].map(([name, value]) => ({ name, value })),
      settings,
    )
    checkUnchanged(current, configs, settings)
    refuseView(catalog, { name, topicId: noTopicId })
    if (!catalog.topic(name)) {
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
    }
    return configs
  }
}

function checkNodeId(text: string, { settings }: Context): void {
  if (!/^[+-]?\d+$/.test(text)) throw invalidRequest(`Node id must be an integer, but it is: ${text}`)
  const nodeId = settings.get('node.id')
  if (text !== String(nodeId)) {
    throw invalidRequest(`Unexpected broker id, expected ${nodeId}, but received ${text}`)
  }
}

function invalidRequest(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}
