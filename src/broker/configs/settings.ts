import { kafkaBrokerConfigs } from './tables/broker.ts'
import { ConfigError, type ConfigDefinition, type ValueOf } from './definition.ts'
import { developmentDefaults } from './tables/development.ts'
import { nearest } from './nearest.ts'
import { ownConfigs } from './tables/own.ts'
import { replicationConfigs } from './tables/replication.ts'

/** Every setting that a broker knows: Kafka's, with the defaults of a development broker, and odradek's own. */
export const brokerConfigs = {
  ...kafkaBrokerConfigs,
  ...replicationConfigs,
  ...developmentDefaults,
  ...ownConfigs,
}

export type BrokerConfigName = keyof typeof brokerConfigs

const definitions = new Map<string, ConfigDefinition>(Object.entries(brokerConfigs))

/** Where a value came from, as DescribeConfigs numbers it (DescribeConfigsResponse.ConfigSource). */
export const configSources = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  byDefault: 5,
  group: 8,
} as const

export type ConfigSource = (typeof configSources)[keyof typeof configSources]

/** One of the values that a setting could have, the first of a list being the one that it has. */
export interface Synonym {
  readonly name: string
  /** As Kafka writes it; null hides a sensitive one. */
  readonly value: string | null
  readonly source: ConfigSource
}

/** A layer of values that were set, by name. */
export interface Layer {
  readonly source: ConfigSource
  readonly values: ReadonlyMap<string, string>
}

/** The definition of a broker setting. Throws ConfigError, naming the nearest known one, when there is none. */
export function brokerConfig(name: string): ConfigDefinition {
  const definition = definitions.get(name)
  if (definition) return definition
  const guess = nearest(name, definitions.keys())
  throw new ConfigError(`unknown setting ${name}${guess === undefined ? '' : `; did you mean ${guess}?`}`)
}

/** True when a broker knows the setting. */
export function isBrokerConfig(name: string): name is BrokerConfigName {
  return definitions.has(name)
}

/** A broker's settings: what was set while it runs, what it was started with, and the defaults. */
export class Settings {
  readonly #layers: Layer[]
  readonly #values = new Map<string, unknown>()
  readonly #listeners: (() => void)[] = []

  /** `values`: what the broker was started with, by Kafka's names. Throws ConfigError on a name or value that will not do. */
  constructor(values: ReadonlyMap<string, string> = new Map()) {
    for (const [name, text] of values) brokerConfig(name).parse(name, text)
    this.#layers = [
      { source: configSources.dynamicBroker, values: new Map() },
      { source: configSources.dynamicDefaultBroker, values: new Map() },
      { source: configSources.staticBroker, values },
    ]
  }

  /** The value in force. LONGs are numbers; one past 2^53 means "never" or "without limit". */
  get<Name extends BrokerConfigName>(name: Name): ValueOf<(typeof brokerConfigs)[Name]> {
    type Value = ValueOf<(typeof brokerConfigs)[Name]>
    if (this.#values.has(name)) return this.#values.get(name) as Value
    const text = this.text(name)
    const value = text === null ? null : brokerConfig(name).parse(name, text)
    this.#values.set(name, value)
    return value as Value
  }

  /** The text of the value in force, as Kafka writes it; null is no value. */
  text(name: BrokerConfigName): string | null {
    const definition = brokerConfig(name)
    const text = this.#layers.find(({ values }) => values.has(name))?.values.get(name)
    return text === undefined ? definition.byDefault : definition.canonical(text)
  }

  /** Whether somebody has set it, be it to its default. */
  isSet(name: BrokerConfigName): boolean {
    return this.#layers.some(({ values }) => values.has(name))
  }

  /** What was set for one layer: at start (`staticBroker`), for this broker, or for all. */
  layer(source: ConfigSource): ReadonlyMap<string, string> {
    return this.#layers.find(layer => layer.source === source)?.values ?? new Map()
  }

  /** Replaces what was set while the broker runs, for this broker or for all. The values must be valid. */
  replace(
    source: typeof configSources.dynamicBroker | typeof configSources.dynamicDefaultBroker,
    values: ReadonlyMap<string, string>,
  ): void {
    this.#layers[this.#layers.findIndex(layer => layer.source === source)] = { source, values }
    this.#values.clear()
    for (const changed of this.#listeners) changed()
  }

  /** Calls `changed` after each change of what was set while the broker runs. */
  listen(changed: () => void): void {
    this.#listeners.push(changed)
  }

  /**
   * The values that a setting could have, the one in force first: layer by layer, in each the setting's spellings in
   * other units too. A weaker spelling counts only behind one of the setting's own name (ConfigHelper.configSynonyms).
   */
  synonyms(name: string): Synonym[] {
    const definition = brokerConfig(name)
    const names = definition.synonyms.length === 0 ? [name] : definition.synonyms
    const found: Synonym[] = []
    for (const { source, values } of this.#layers) {
      for (const each of names) {
        const text = values.get(each)
        if (text !== undefined)
          found.push({ name: each, value: definition.isSensitive ? null : text, source })
      }
    }
    for (const each of names) {
      const { byDefault } = brokerConfig(each)
      if (byDefault !== null) found.push({ name: each, value: byDefault, source: configSources.byDefault })
    }
    const first = found.findIndex(synonym => synonym.name === name)
    return first < 0 ? [] : found.slice(first)
  }
}
