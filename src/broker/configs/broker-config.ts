import { KafkaError } from '../../protocol/errors.ts'
import { ConfigError } from './definition.ts'
import { checkSteps } from './running-limits.ts'
import { brokerConfig, configSources, isBrokerConfig, Settings } from './settings.ts'
import { boundsOf } from './tables/group.ts'
import { topicConfigs } from './tables/topic.ts'
import { inheritedText } from './topic-config.ts'

/** Kafka changes these only with the prefix of a listener (SslConfigs.RECONFIGURABLE_CONFIGS). */
const listenersOwn = new Set([
  'ssl.key.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.type',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.type',
])

/** Kafka opens and closes listeners while it runs; here they are what they were at start. */
const readAtStart = new Set(['listeners', 'listener.security.protocol.map'])

const { dynamicBroker, dynamicDefaultBroker, staticBroker } = configSources

const mebibyte = 1024 * 1024
/** Bounds that Kafka's definitions of the settings do not have. */
const leastValues = [
  ['log.roll.ms', 1],
  ['log.roll.jitter.ms', 0],
] as const

/** What is set while the broker runs, and beside what. */
export interface BrokerChange {
  /** For this broker, not for all. */
  readonly isPerBroker: boolean
  /** The broker's settings before the change. */
  readonly settings: Settings
}

/**
 * Checks all that is to be set while the broker runs, for one broker or for all, by itself, together with what is set
 * elsewhere, and as a step from what is in force. Throws KafkaError INVALID_REQUEST, in Kafka's words where it refuses too
 * (DynamicBrokerConfig.validate); Kafka takes names that it does not know.
 */
export function validateBrokerConfigs(
  configs: ReadonlyMap<string, string>,
  { isPerBroker, settings }: BrokerChange,
): void {
  checkEach(configs, isPerBroker)
  const after = changed(settings, isPerBroker ? dynamicBroker : dynamicDefaultBroker, configs)
  checkTogether(after)
  checkSteps(settings, after)
}

function checkEach(configs: ReadonlyMap<string, string>, isPerBroker: boolean): void {
  const names = [...configs.keys()].toSorted()
  try {
    const modes = new Map(names.map(name => [name, brokerConfig(name).mode]))
    refuse(
      'Cannot update these configs dynamically',
      names.filter(name => modes.get(name) === 'read-only' || readAtStart.has(name)),
    )
    refuse(
      'These security configs can be dynamically updated only per-listener using the listener prefix',
      names.filter(name => listenersOwn.has(name)),
    )
    for (const [name, text] of configs) brokerConfig(name).parse(name, text)
    if (isPerBroker) return
    refuse(
      'Cannot update these configs at default cluster level, broker id must be specified',
      names.filter(name => modes.get(name) === 'per-broker'),
    )
  } catch (error) {
    throw error instanceof ConfigError ? new KafkaError('INVALID_REQUEST', error.message) : error
  }
}

function refuse(reason: string, names: readonly string[]): void {
  if (names.length > 0) throw new KafkaError('INVALID_REQUEST', `${reason}: [${names.join(', ')}]`)
}

/** The settings as they will be, made anew. */
function changed(
  settings: Settings,
  source: typeof dynamicBroker | typeof dynamicDefaultBroker,
  configs: ReadonlyMap<string, string>,
): Settings {
  const result = new Settings(settings.layer(staticBroker))
  for (const each of [dynamicBroker, dynamicDefaultBroker] as const) {
    result.replace(each, each === source ? configs : settings.layer(each))
  }
  return result
}

/** What no setting shows alone (GroupCoordinatorConfig, then KafkaConfig.validateValues). */
function checkTogether(settings: Settings): void {
  for (const type of ['consumer', 'share', 'streams']) checkAssignmentInterval(type, settings)
  // A spelling in minutes or hours may stand behind it.
  if (inheritedText(topicConfigs['retention.ms'], settings) === '0') {
    throw unmet('log.retention.ms must be unlimited (-1) or, greater than or equal to 1')
  }
  for (const [name, least] of leastValues) {
    const text = settings.text(name)
    if (text !== null && Number(text) < least)
      throw unmet(`${name} must be greater than or equal to ${least}`)
  }
  const threads = Number(settings.text('log.cleaner.threads'))
  // Kafka divides whole numbers, by zero too, and fails.
  if (threads === 0 || Math.floor(settings.get('log.cleaner.dedupe.buffer.size') / threads) <= mebibyte) {
    throw unmet('log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.')
  }
}

/** Not the default, which is below Kafka's, and may be below the least that someone sets. */
function checkAssignmentInterval(type: string, settings: Settings): void {
  const ofGroups = `${type}.assignment.interval.ms`
  const name = `group.${ofGroups}`
  if (!isBrokerConfig(name) || !settings.isSet(name)) return
  const value = Number(settings.text(name))
  const { least, most } = boundsOf(ofGroups)
  if (isBrokerConfig(least) && value < Number(settings.text(least))) {
    throw new KafkaError('INVALID_REQUEST', `${name} must be greater than or equal to ${least}`)
  }
  if (isBrokerConfig(most) && value > Number(settings.text(most))) {
    throw new KafkaError('INVALID_REQUEST', `${name} must be less than or equal to ${most}`)
  }
}

/** As Scala's `require` words it. */
function unmet(requirement: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', `requirement failed: ${requirement}`)
}
