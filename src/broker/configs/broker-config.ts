import { KafkaError } from '../../protocol/errors.ts'
import { ConfigError } from './definition.ts'
import { brokerConfig } from './settings.ts'

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

/**
 * Checks what is to be set while the broker runs, for one broker or for all. Throws KafkaError INVALID_REQUEST, in Kafka's words
 * where it refuses too (DynamicBrokerConfig.validateConfigs); Kafka takes names that it does not know.
 */
export function validateBrokerConfigs(
  configs: ReadonlyMap<string, string>,
  { isPerBroker }: { isPerBroker: boolean },
): void {
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
