import { KafkaError } from '../../protocol/errors.ts'
import type { ConfigDefinition } from './definition.ts'

/** What is to become of one setting of a resource, as IncrementalAlterConfigs carries it. */
export interface ConfigOperation {
  readonly name: string
  /** One of `operations`. */
  readonly configOperation: number
  /** Null when the setting is to be deleted. */
  readonly value: string | null
}

/** Kafka's numbers of operations (AlterConfigOp.OpType). */
export const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

const listOperations: Record<number, string | undefined> = {
  [operations.append]: 'APPEND',
  [operations.subtract]: 'SUBTRACT',
}

/** Throws INVALID_REQUEST on a setting named twice and on a value that is missing (ConfigAdminManager.preprocess). */
export function checkOperations(asked: readonly ConfigOperation[]): void {
  if (new Set(asked.map(({ name }) => name)).size < asked.length) {
    throw new KafkaError('INVALID_REQUEST', 'Error due to duplicate config keys')
  }
  const valueless = asked.filter(
    ({ configOperation, value }) => configOperation !== operations.delete && value === null,
  )
  if (valueless.length > 0) {
    const names = valueless.map(({ name }) => name).join(', ')
    throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${names}`)
  }
}

/**
 * The settings that operations make of `current`. A list that was not set starts from its default, as in Kafka
 * (ConfigurationControlManager.incrementalAlterConfigResource). Throws INVALID_REQUEST on an unknown operation, INVALID_CONFIG on
 * list operations where there is no list; `refusal` words the latter. Values are not checked.
 */
export function operate(
  current: ReadonlyMap<string, string>,
  asked: readonly ConfigOperation[],
  definitionOf: (name: string) => ConfigDefinition | undefined,
  refusal: (operation: string, name: string) => string,
): Map<string, string> {
  const changed = new Map(current)
  for (const { name, configOperation, value } of asked) {
    const listOperation = listOperations[configOperation]
    if (listOperation !== undefined) {
      const definition = definitionOf(name)
      if (definition?.type !== 'LIST') {
        throw new KafkaError('INVALID_CONFIG', refusal(listOperation, name))
      }
      const old = elementsOf(changed.get(name) ?? definition.byDefault ?? '')
      const combine = configOperation === operations.append ? append : subtract
      changed.set(name, combine(old, partsOf(value!)).join(','))
    } else if (configOperation === operations.set) changed.set(name, value!)
    else if (configOperation === operations.delete) changed.delete(name)
    else throw new KafkaError('INVALID_REQUEST', `Unknown operations type ${configOperation}`)
  }
  return changed
}

/** What Java's `String.split(",")` gives: no empty parts at the end, but an empty text as it is. */
function partsOf(text: string): string[] {
  const parts = text.split(',')
  return text === '' ? parts : parts.slice(0, parts.findLastIndex(part => part !== '') + 1)
}

function elementsOf(text: string): string[] {
  return text.split(',').filter(element => element !== '')
}

function append(old: readonly string[], added: readonly string[]): string[] {
  return [...new Set([...old, ...added])]
}

/** Of an element that is there twice, one is taken, as Java's `List.remove` does. */
function subtract(old: readonly string[], removed: readonly string[]): string[] {
  const left = [...old]
  for (const element of removed) {
    const index = left.indexOf(element)
    if (index >= 0) left.splice(index, 1)
  }
  return left
}
