import { KafkaError } from '../../protocol/errors.ts'
import type { BrokerConfigName, Settings } from './settings.ts'
import { Misread, valueTypes } from './value-types.ts'

/** Pools of threads that a running broker makes larger or smaller (DynamicThreadPool, DynamicRemoteLogConfig). */
const pools: readonly BrokerConfigName[] = [
  'background.threads',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
  'remote.log.manager.copier.thread.pool.size',
  'remote.log.manager.expiration.thread.pool.size',
  'remote.log.manager.follower.thread.pool.size',
  'remote.log.reader.threads',
]

const connectionsPerIp = 'max.connections.per.ip'
const perIpOverrides = 'max.connections.per.ip.overrides'

/** The one class of metrics reporters that comes with Kafka; another could not be loaded. */
const reporterClass = 'org.apache.kafka.common.metrics.JmxReporter'

/**
 * Checks the step from the settings in force to other ones; what stays as it is may be anything that a broker can be
 * started with. Throws KafkaError INVALID_REQUEST, in Kafka's words.
 */
export function checkSteps(before: Settings, after: Settings): void {
  const isChanged = (name: BrokerConfigName): boolean => before.text(name) !== after.text(name)
  if (isChanged(connectionsPerIp) || isChanged(perIpOverrides)) checkConnectionsPerIp(after)
  if (isChanged('metric.reporters')) checkReporters(before, after)
  for (const name of pools) checkPool(name, Number(before.text(name)), Number(after.text(name)))
  checkCleanerThreads(before.get('log.cleaner.threads'), after.get('log.cleaner.threads'))
  for (const name of ['max.connections', 'max.connection.creation.rate'] as const) {
    if (isChanged(name) && after.get(name) === 0) throw refused(`Invalid ${name} 0`)
  }
}

function checkPool(name: string, before: number, after: number): void {
  const failed = `Dynamic thread count update validation failed for ${name}=${after}, value should`
  checkStep(before, after, {
    few: `${failed} be at least half the current value ${before}`,
    many: `${failed} not be greater than double the current value ${before}`,
  })
}

function checkCleanerThreads(before: number, after: number): void {
  checkStep(before, after, {
    few: `Log cleaner threads cannot be reduced to less than half the current value ${before}`,
    many: `Log cleaner threads cannot be increased to more than double the current value ${before}`,
  })
}

/** At most twice as many in one step, and no fewer than half, rounded down. */
function checkStep(before: number, after: number, reasons: { few: string; many: string }): void {
  if (after < Math.floor(before / 2)) throw refused(reasons.few)
  if (after > before * 2) throw refused(reasons.many)
}

function checkConnectionsPerIp(settings: Settings): void {
  const overrides = settings.get(perIpOverrides)
  const invalid = overridden(overrides).filter(address => !/^[\w\-%.:]*$/.test(address))
  if (settings.get(connectionsPerIp) === 0 && overrides === '') {
    throw refused(
      `requirement failed: ${connectionsPerIp} can be set to zero only if ${perIpOverrides} property is set.`,
    )
  }
  if (invalid.length > 0) {
    throw refused(`${perIpOverrides} contains invalid addresses : ${invalid.join(',')}`)
  }
}

/** The addresses of `address:number,...` (Csv.parseCsvMap). */
function overridden(text: string): string[] {
  const pairs = text.split(/\s*,\s*/)
  const kept = pairs.slice(0, pairs.findLastIndex(pair => pair !== '') + 1)
  return kept.map(pair => {
    const colon = pair.lastIndexOf(':')
    if (colon < 0) {
      throw refused(
        `Error parsing configuration property '${perIpOverrides}': begin 0, end -1, length ${pair.length}`,
      )
    }
    const count = pair.slice(colon + 1).trim()
    if (valueTypes.INT.parse(count) instanceof Misread) throw refused(`For input string: "${count}"`)
    return pair.slice(0, colon).trim()
  })
}

function checkReporters(before: Settings, after: Settings): void {
  const known = new Set([reporterClass, ...before.get('metric.reporters')])
  if (after.get('metric.reporters').every(name => known.has(name))) return
  throw refused(
    'Validation of dynamic config update of Set(metric.reporters) failed with class class kafka.server.DynamicMetricsReporters',
  )
}

function refused(reason: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', reason)
}
