import { alterConfigs } from '../../src/broker/apis/33-alter-configs.ts'
import { describeConfigs } from '../../src/broker/apis/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../src/broker/apis/44-incremental-alter-configs.ts'
import { operations } from '../../src/broker/configs/operations.ts'
import { resourceTypes } from '../../src/broker/configs/resources.ts'
import { errorName } from '../../src/protocol/errors.ts'
import type { WireClient } from './wire-client.ts'

/** `[name, operation, value]`, the operation by Kafka's number. */
export type Operation = readonly [name: string, operation: number, value: string | null]

export interface Alteration {
  readonly resourceType: number
  readonly resourceName: string
  readonly operations: readonly Operation[]
}

/** What became of one resource. */
export interface Outcome {
  readonly error: string
  readonly message: string | null
}

interface Answer {
  readonly responses: readonly { readonly errorCode: number; readonly errorMessage: string | null }[]
}

/** Alters by IncrementalAlterConfigs. */
export async function alter(
  client: WireClient,
  alterations: readonly Alteration[],
  { version = 1, validateOnly = false } = {},
): Promise<Outcome[]> {
  const resources = alterations.map(({ resourceType, resourceName, operations }) => ({
    resourceType,
    resourceName,
    configs: operations.map(([name, configOperation, value]) => ({ name, configOperation, value })),
  }))
  return outcomesOf(await client.call(incrementalAlterConfigs, version, { resources, validateOnly }))
}

/** Alters by AlterConfigs; the operations' numbers are not looked at. */
export async function alterWhole(
  client: WireClient,
  alterations: readonly Alteration[],
  { version = 2, validateOnly = false } = {},
): Promise<Outcome[]> {
  const resources = alterations.map(({ resourceType, resourceName, operations }) => ({
    resourceType,
    resourceName,
    configs: operations.map(([name, , value]) => ({ name, value })),
  }))
  return outcomesOf(await client.call(alterConfigs, version, { resources, validateOnly }))
}

function outcomesOf({ responses }: Answer): Outcome[] {
  return responses.map(({ errorCode, errorMessage }) => ({
    error: errorName(errorCode),
    message: errorMessage,
  }))
}

/** What a change comes back as when it was made. */
export const done: Outcome = { error: 'NONE', message: null }

export const ofTopic = (name: string, ...operations: Operation[]): Alteration => ({
  resourceType: resourceTypes.topic,
  resourceName: name,
  operations,
})

/** Of the broker 1, or by an empty name of all. */
export const ofBroker = (name: '1' | '', ...operations: Operation[]): Alteration => ({
  resourceType: resourceTypes.broker,
  resourceName: name,
  operations,
})

export const ofGroup = (name: string, ...operations: Operation[]): Alteration => ({
  resourceType: resourceTypes.group,
  resourceName: name,
  operations,
})

export const set = (name: string, value: string): Operation => [name, operations.set, value]
export const unset = (name: string): Operation => [name, operations.delete, null]
export const append = (name: string, value: string): Operation => [name, operations.append, value]
export const subtract = (name: string, value: string): Operation => [name, operations.subtract, value]

/** A setting of a resource as `value from source`, the source by Kafka's number. */
export async function described(
  client: WireClient,
  { resourceType, resourceName }: Alteration,
  name: string,
): Promise<string | undefined> {
  const { results } = await client.call(describeConfigs, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: [name] }],
    includeSynonyms: true,
  })
  const entry = results[0]!.configs[0]
  return entry && `${entry.value} from ${entry.configSource}`
}
