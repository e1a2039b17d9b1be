import { KafkaError } from '../../protocol/errors.ts'
import { ConfigError, type ConfigDefinition, type ValueOf } from './definition.ts'
import { brokerConfig, type BrokerConfigName, type Settings } from './settings.ts'
import { topicConfigs } from './tables/topic.ts'

export type TopicConfigName = keyof typeof topicConfigs

const definitions = new Map<string, ConfigDefinition>(Object.entries(topicConfigs))

/** A topic's settings: its own, else the broker's, else the default. Works from text: hot paths keep what they get. */
export class TopicConfig {
  readonly #overrides: ReadonlyMap<string, string>
  readonly #settings: Settings

  /** `overrides`: what was set on the topic itself, by Kafka's names. */
  constructor(overrides: ReadonlyMap<string, string>, settings: Settings) {
    this.#overrides = overrides
    this.#settings = settings
  }

  /** The value in force. LONGs are numbers; one past 2^53 means "never" or "without limit". */
  get<Name extends TopicConfigName>(name: Name): ValueOf<(typeof topicConfigs)[Name]> {
    const text = this.text(name)
    return (text === null ? null : topicConfigs[name].parse(name, text)) as ValueOf<
      (typeof topicConfigs)[Name]
    >
  }

  /**
   * The text of the value in force, as Kafka writes it; null is no value. What no topic may have counts as not set, be it of the broker,
   * whose bounds are others, or stored once: no setting may keep a broker from serving, or from starting again.
   */
  text(name: TopicConfigName): string | null {
    const definition = topicConfigs[name]
    const own = this.#overrides.get(name)
    if (own !== undefined && isPossible(name, own)) return definition.canonical(own)
    const inherited = inheritedText(definition, this.#settings)
    return inherited === null || isPossible(name, inherited) ? inherited : definition.byDefault
  }
}

function isPossible(name: TopicConfigName, text: string): boolean {
  try {
    topicConfigs[name].parse(name, text)
    return true
  } catch (error) {
    if (error instanceof ConfigError) return false
    throw error
  }
}

/** What a topic's or a group's setting is when it was not set there: the broker's value, else the default. */
export function inheritedText(definition: ConfigDefinition, settings: Settings): string | null {
  for (const name of definition.synonyms as readonly BrokerConfigName[]) {
    const text = settings.text(name)
    if (text !== null) return inMilliseconds(name, text)
  }
  return definition.byDefault
}

const millisecondsOf: Record<string, bigint | undefined> = { minutes: 60_000n, hours: 3_600_000n }

/** Hours and minutes as the milliseconds that topics reckon in; anything negative is Kafka's -1, without end. */
function inMilliseconds(name: string, text: string): string {
  if (brokerConfig(name).synonyms.length === 0) return text
  const value = BigInt(text) * (millisecondsOf[name.slice(name.lastIndexOf('.') + 1)] ?? 1n)
  return String(value < 0n ? -1n : value)
}

/**
 * Checks what someone wants to set on a topic, as CreateTopics and IncrementalAlterConfigs carry it, and gives it back by
 * name. Throws KafkaError INVALID_CONFIG in Kafka's words (LogConfig.validate).
 */
export function validateTopicConfigs(
  configs: readonly { readonly name: string; readonly value: string | null }[],
  settings: Settings,
): Map<string, string> {
  const nulls = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (nulls.length > 0) throw invalid(`Null value not supported for topic configs: ${nulls.join(',')}`)
  const overrides = new Map(configs.map(({ name, value }) => [name, value!]))
  for (const name of overrides.keys()) {
    if (!definitions.has(name)) throw invalid(`Unknown topic config name: ${name}`)
  }
  for (const [name, text] of overrides) checkValue(name, text)
  const config = new TopicConfig(overrides, settings)
  checkLags(config)
  checkNumbered(config)
  if (config.get('remote.storage.enable')) {
    throw invalid(
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    )
  }
  return overrides
}

function checkValue(name: string, text: string): void {
  try {
    definitions.get(name)!.parse(name, text)
  } catch (error) {
    throw error instanceof ConfigError ? invalid(error.message) : error
  }
}

function checkLags(config: TopicConfig): void {
  const least = config.text('min.compaction.lag.ms')!
  const most = config.text('max.compaction.lag.ms')!
  if (BigInt(least) <= BigInt(most)) return
  throw invalid(
    `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`,
  )
}

/** A VLSN topic keeps every record, since the view of it never changes. */
function checkNumbered(config: TopicConfig): void {
  if (config.get('odradek.partitioning') !== 'vlsn') return
  if (!config.get('cleanup.policy').includes('compact')) return
  throw invalid('cleanup.policy=compact is not possible where odradek.partitioning is vlsn')
}

/** What a topic is from its beginning. */
const decidedAtCreation: readonly TopicConfigName[] = ['odradek.partitioning', 'odradek.vlsn.start']

/** Refuses with INVALID_CONFIG to change what is decided when a topic is made. */
export function checkUnchanged(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  settings: Settings,
): void {
  const [old, changed] = [before, after].map(configs => new TopicConfig(configs, settings))
  const name = decidedAtCreation.find(each => old!.text(each) !== changed!.text(each))
  if (name !== undefined) throw invalid(`${name} is decided when a topic is made`)
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_CONFIG', message)
}
