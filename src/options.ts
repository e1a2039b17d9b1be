import { systemClock, type Clock } from './base/clock.ts'
import type { Disk } from './base/disk.ts'
import type { Logger } from './base/logger.ts'
import type { Network } from './base/network.ts'
import { systemRandom, type Random } from './base/random.ts'
import { ConfigError } from './broker/configs/definition.ts'
import { listenerSettings, type ListenerSetting } from './broker/configs/listener-settings.ts'
import { effectOf } from './broker/configs/effects.ts'
import { Settings } from './broker/configs/settings.ts'
import { isRetired } from './broker/configs/tables/retired.ts'

/** What `createBroker` can be told. Nothing is required, and the environment is never read. */
export interface BrokerOptions {
  /** The port of the one listener; without it a free one. Not together with `listeners`. */
  readonly port?: number | undefined
  /** The address of the one listener; 127.0.0.1. Not together with `listeners`. */
  readonly host?: string | undefined
  /** The directory to keep everything in; without it, everything is kept in memory. Kafka's `log.dirs`. */
  readonly data?: string | undefined
  /** Several listeners, as in `server.properties`: `PLAINTEXT://0.0.0.0:9092,INSIDE://:0`. */
  readonly listeners?: string | undefined
  /** What clients are told, by listener; `Broker.advertise` changes it later. */
  readonly advertisedListeners?: string | undefined
  /** 1. Kafka's `node.id`. */
  readonly nodeId?: number | undefined
  /** 22 characters, as `Uuid.randomUuid` gives them. Counts when the data directory is new; without it a random one. */
  readonly clusterId?: string | undefined
  /** Any other setting by Kafka's name, or odradek's own (`odradek.`). */
  readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined
  /** Who hears what the broker says; nobody. pino and its likes fit. */
  readonly logger?: Logger | undefined
  /** Time, for tests that turn it themselves. */
  readonly clock?: Clock | undefined
  /** Chance, for tests that repeat it. */
  readonly random?: Random | undefined
  /** The disk, for tests that break it; without it the directory `data`, or memory. */
  readonly disk?: Disk | undefined
  /** The network, for tests that simulate it. */
  readonly network?: Network | undefined
}

/** Where a broker keeps its data. */
export type StorageOptions =
  | { readonly kind: 'memory' }
  | { readonly kind: 'files'; readonly directory: string }

/** Options with every question answered. */
export interface ResolvedOptions {
  readonly settings: Settings
  readonly listeners: readonly ListenerSetting[]
  readonly storage: StorageOptions
  readonly clusterId: string | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** Undefined is the machine's own. */
  readonly disk: Disk | undefined
  readonly network: Network | undefined
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  fatal: () => {},
}

/** Reads options as `createBroker` does. Throws ConfigError, one line, on settings that are unknown, bad or at odds. */
export function resolveOptions(options: BrokerOptions = {}): ResolvedOptions {
  const logger = options.logger ?? silentLogger
  const settings = new Settings(settingsOf(options))
  const idle = Object.keys(options.settings ?? {}).filter(name => effectOf(name) === undefined)
  if (idle.length > 0)
    logger.warn({ settings: idle }, `settings that have no effect here: ${idle.join(', ')}`)
  if (options.clusterId !== undefined && !/^[\w-]{22}$/.test(options.clusterId)) {
    throw new ConfigError(`cluster id '${options.clusterId}' is not 22 characters of URL-safe base64`)
  }
  return {
    settings,
    listeners: listenerSettings(settings),
    storage: storageOf(settings),
    clusterId: options.clusterId,
    logger,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    disk: options.disk,
    network: options.network,
  }
}

/** All that was said, by Kafka's names. An option says the same as a setting, so that only one of the two may be given. */
function settingsOf(options: BrokerOptions): Map<string, string> {
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    if (!isRetired(name)) values.set(name, String(value))
  }
  const say = (option: string, name: string, value: string | number | undefined): void => {
    if (value === undefined) return
    const said = values.get(name)
    if (said !== undefined)
      throw new ConfigError(`${option} and the setting ${name}=${said} say the same; give one of them`)
    values.set(name, String(value))
  }
  say('listeners', 'listeners', options.listeners)
  say('advertisedListeners', 'advertised.listeners', options.advertisedListeners)
  say('nodeId', 'node.id', options.nodeId)
  say('data', 'log.dirs', options.data)
  if (options.port !== undefined || options.host !== undefined || !values.has('listeners')) {
    const host = options.host ?? '127.0.0.1'
    say(
      'port or host',
      'listeners',
      `PLAINTEXT://${host.includes(':') ? `[${host}]` : host}:${options.port ?? 0}`,
    )
  }
  // The node id has an older name, under which Kafka describes it too.
  const nodeId = values.get('node.id') ?? values.get('broker.id')
  if (nodeId !== (values.get('broker.id') ?? nodeId)) {
    throw new ConfigError(
      `node.id=${nodeId} and broker.id=${values.get('broker.id')} disagree; give one of them`,
    )
  }
  if (nodeId !== undefined) values.set('node.id', nodeId).set('broker.id', nodeId)
  const isKept = values.has('log.dirs') || values.has('log.dir')
  if (!values.has('odradek.storage')) values.set('odradek.storage', isKept ? 'files' : 'memory')
  return values
}

function storageOf(settings: Settings): StorageOptions {
  if (settings.get('odradek.storage') === 'memory') return { kind: 'memory' }
  const [directory, ...others] = settings.get('log.dirs') ?? settings.get('log.dir')
  if (directory === undefined || others.length > 0) {
    throw new ConfigError(
      `log.dirs must name one directory, not ${others.length > 0 ? others.length + 1 : 'none'}`,
    )
  }
  return { kind: 'files', directory }
}
