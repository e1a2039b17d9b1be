import { isBrokerConfig } from './settings.ts'
import { isRetired } from './tables/retired.ts'

/** What an environment says about a broker. */
export interface EnvironmentSettings {
  /** By Kafka's names. */
  readonly settings: ReadonlyMap<string, string>
  /** `CLUSTER_ID`, as Kafka's image takes it. */
  readonly clusterId: string | undefined
  /** Variables that look like settings and are none. */
  readonly unknown: readonly string[]
}

/** What Kafka's scripts and image read from the environment that is no setting of the broker (KafkaDockerWrapper). */
const notSettings = new Set([
  'KAFKA_VERSION',
  'KAFKA_HEAP_OPTS',
  'KAFKA_LOG4J_OPTS',
  'KAFKA_OPTS',
  'KAFKA_JMX_OPTS',
  'KAFKA_JMX_PORT',
  'KAFKA_JMX_HOSTNAME',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_LOG4J_ROOT_LOGLEVEL',
  'KAFKA_LOG4J_LOGGERS',
  'KAFKA_TOOLS_LOG4J_LOGLEVEL',
])

/**
 * Reads settings by the rule of Apache Kafka's image: `KAFKA_` and the name in capitals, `_` for a dot, `__` for an
 * underscore, `___` for a dash. `ODRADEK_` stands for `odradek.` likewise.
 */
export function environmentSettings(
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentSettings {
  const settings = new Map<string, string>()
  const unknown: string[] = []
  for (const [variable, value] of Object.entries(environment)) {
    const isKafkas = variable.startsWith('KAFKA_')
    if (value === undefined || notSettings.has(variable) || !(isKafkas || variable.startsWith('ODRADEK_')))
      continue
    const name = settingName(isKafkas ? variable.slice('KAFKA_'.length) : variable)
    if (isBrokerConfig(name) || isRetired(name)) settings.set(name, value)
    else unknown.push(variable)
  }
  return { settings, clusterId: environment['CLUSTER_ID'] || undefined, unknown }
}

function settingName(variable: string): string {
  return variable.toLowerCase().replaceAll('_', '.').replaceAll('...', '-').replaceAll('..', '_')
}
