import { ConfigError } from './definition.ts'
import type { Settings } from './settings.ts'

/** One listener as configured: where to bind, and what to tell clients. */
export interface ListenerSetting {
  /** In capitals, as Kafka keeps it. */
  readonly name: string
  /** Empty stands for every address of the machine. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly advertisedHost: string
  /** Undefined is the port that was bound. */
  readonly advertisedPort: number | undefined
}

interface Endpoint {
  readonly name: string
  readonly host: string
  readonly port: number
}

/**
 * The listeners that `listeners`, `advertised.listeners` and `listener.security.protocol.map` describe, in order; those of
 * `controller.listener.names` are left out, since there is no quorum to talk to. Throws ConfigError on what Kafka refuses
 * and on protocols that are not served.
 */
export function listenerSettings(settings: Settings): ListenerSetting[] {
  const controllers = new Set(settings.get('controller.listener.names').map(capitals))
  const bound = endpoints('listeners', settings.get('listeners')).filter(({ name }) => !controllers.has(name))
  if (bound.length === 0) throw new ConfigError('listeners names none that clients could use')
  checkDistinct(bound)
  checkProtocols(bound, settings.get('listener.security.protocol.map'))
  const advertised = endpoints('advertised.listeners', settings.get('advertised.listeners') ?? [])
  checkAdvertised(advertised, bound)
  return bound.map(listener => {
    const told = advertised.find(({ name }) => name === listener.name)
    if (told) return { ...listener, advertisedHost: told.host, advertisedPort: told.port || undefined }
    return {
      ...listener,
      advertisedHost: isEverywhere(listener.host) ? loopback : listener.host,
      advertisedPort: undefined,
    }
  })
}

/** The protocols that a listener may speak. */
const servedProtocols: readonly string[] = ['PLAINTEXT']
/** What clients are told where a listener is bound to every address and nothing was said: right on the machine itself and behind a mapped port. */
const loopback = '127.0.0.1'

const endpointPattern = /^([^:/]+):\/\/(?:\[([0-9a-f:.%]*)\]|([^:[\]]*)):(\d{1,5})$/i

function endpoints(setting: string, texts: readonly string[]): Endpoint[] {
  return texts.map(text => {
    const [, name, address, host, port] = endpointPattern.exec(text) ?? []
    if (name === undefined || Number(port) > 65_535) {
      throw new ConfigError(
        `${setting}: cannot read '${text}'; write NAME://HOST:PORT, as PLAINTEXT://127.0.0.1:9092`,
      )
    }
    return { name: capitals(name), host: address ?? host ?? '', port: Number(port) }
  })
}

function checkDistinct(bound: readonly Endpoint[]): void {
  for (const [index, { name, host, port }] of bound.entries()) {
    const others = bound.slice(0, index)
    if (others.some(other => other.name === name)) throw new ConfigError(`listeners: two are named ${name}`)
    if (port !== 0 && others.some(other => other.port === port && other.host === host)) {
      throw new ConfigError(`listeners: two are on ${host}:${port}`)
    }
  }
}

function checkProtocols(bound: readonly Endpoint[], mapText: string): void {
  const protocols = protocolMap(mapText)
  for (const { name } of bound) {
    const protocol = protocols.get(name)
    if (protocol === undefined) {
      throw new ConfigError(
        `listener ${name} has no protocol; add ${name}:PLAINTEXT to listener.security.protocol.map`,
      )
    }
    if (!servedProtocols.includes(protocol)) {
      throw new ConfigError(
        `listener ${name} asks for ${protocol}, which is not served; served: ${servedProtocols.join(', ')}`,
      )
    }
  }
}

function protocolMap(text: string): Map<string, string> {
  const protocols = new Map<string, string>()
  for (const pair of text.split(',').map(each => each.trim())) {
    const [, name, protocol] = /^([^:]+):([^:]+)$/.exec(pair) ?? []
    if (name === undefined || protocol === undefined) {
      throw new ConfigError(`listener.security.protocol.map: cannot read '${pair}'; write NAME:PROTOCOL`)
    }
    protocols.set(capitals(name), capitals(protocol))
  }
  return protocols
}

function checkAdvertised(advertised: readonly Endpoint[], bound: readonly Endpoint[]): void {
  for (const { name, host } of advertised) {
    if (!bound.some(listener => listener.name === name)) {
      throw new ConfigError(`advertised.listeners names ${name}, which is not among listeners`)
    }
    if (isEverywhere(host)) {
      throw new ConfigError(
        `advertised.listeners tells clients '${host}', which no client can connect to; name a host`,
      )
    }
  }
}

function isEverywhere(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::'
}

function capitals(text: string): string {
  return text.trim().toUpperCase()
}
