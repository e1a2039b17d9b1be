import { KafkaError } from '../../protocol/errors.ts'
import { ConfigError, type ConfigDefinition } from './definition.ts'
import { isBrokerConfig, type Settings } from './settings.ts'
import { boundsOf, groupConfigs } from './tables/group.ts'
import { inheritedText } from './topic-config.ts'

type GroupConfigName = keyof typeof groupConfigs

const definitions = new Map<string, ConfigDefinition>(Object.entries(groupConfigs))

/** A session must outlast the heartbeats that keep it up. */
const heartbeats: readonly [session: GroupConfigName, heartbeat: GroupConfigName][] = [
  ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms'],
  ['share.session.timeout.ms', 'share.heartbeat.interval.ms'],
  ['streams.session.timeout.ms', 'streams.heartbeat.interval.ms'],
]

/** Checks what is to be set on a group. Throws KafkaError INVALID_CONFIG in Kafka's words (GroupConfig.validate). */
export function validateGroupConfigs(configs: ReadonlyMap<string, string>, settings: Settings): void {
  for (const name of configs.keys()) {
    if (!definitions.has(name)) throw invalid(`Unknown group config name: ${name}`)
  }
  for (const [name, text] of configs) checkValue(name, text)
  for (const name of definitions.keys()) {
    const text = configs.get(name)
    if (text !== undefined) checkBounds(name, Number(text), settings)
  }
  const valueOf = (name: GroupConfigName): number =>
    Number(configs.get(name) ?? inheritedText(groupConfigs[name], settings))
  for (const [session, heartbeat] of heartbeats) {
    if (!configs.has(session) && !configs.has(heartbeat)) continue
    if (valueOf(session) <= valueOf(heartbeat)) throw invalid(`${session} must be greater than ${heartbeat}`)
  }
}

function checkValue(name: string, text: string): void {
  try {
    definitions.get(name)!.parse(name, text)
  } catch (error) {
    throw error instanceof ConfigError ? invalid(error.message) : error
  }
}

function checkBounds(name: string, value: number, settings: Settings): void {
  const { least, most } = boundsOf(name)
  if (isBrokerConfig(least) && value < Number(settings.text(least))) {
    throw invalid(`${name} must be greater than or equal to ${least}`)
  }
  if (isBrokerConfig(most) && value > Number(settings.text(most))) {
    throw invalid(`${name} must be less than or equal to ${most}`)
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_CONFIG', message)
}
