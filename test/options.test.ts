import { describe, expect, test } from 'vitest'
import type { Logger } from '../src/base/logger.ts'
import { resolveOptions, silentLogger, type BrokerOptions } from '../src/options.ts'

const listenersOf = (options: BrokerOptions): unknown[] =>
  resolveOptions(options).listeners.map(({ name, host, port, advertisedHost, advertisedPort }) =>
    [name, host, port, advertisedHost, advertisedPort].join(' '),
  )

describe('without a word', () => {
  test('a free port of this machine, in memory, with node id 1', () => {
    const { listeners, storage, settings, clusterId, logger } = resolveOptions()
    expect(listeners).toEqual([
      {
        name: 'PLAINTEXT',
        host: '127.0.0.1',
        port: 0,
        advertisedHost: '127.0.0.1',
        advertisedPort: undefined,
      },
    ])
    expect(storage).toEqual({ kind: 'memory' })
    expect(settings.get('node.id')).toBe(1)
    expect(clusterId).toBeUndefined()
    expect(logger).toBe(silentLogger)
  })

  test('the defaults are those of a development broker', () => {
    const { settings } = resolveOptions()
    expect(settings.get('group.initial.rebalance.delay.ms')).toBe(0)
    expect(settings.get('offsets.topic.replication.factor')).toBe(1)
    expect(settings.get('num.partitions')).toBe(1)
  })
})

describe('storage', () => {
  test.each([
    [{ data: 'd' }, { kind: 'files', directory: 'd' }],
    [{ settings: { 'log.dirs': 'd' } }, { kind: 'files', directory: 'd' }],
    [{ settings: { 'log.dir': 'd' } }, { kind: 'files', directory: 'd' }],
    [{ settings: { 'log.dir': 'd', 'log.dirs': 'e' } }, { kind: 'files', directory: 'e' }],
    [{ settings: { 'odradek.storage': 'files' } }, { kind: 'files', directory: 'odradek-data' }],
    [{ data: 'd', settings: { 'odradek.storage': 'memory' } }, { kind: 'memory' }],
  ] satisfies [BrokerOptions, unknown][])('%j', (options, storage) => {
    expect(resolveOptions(options).storage).toEqual(storage)
  })
})

describe('listeners', () => {
  test.each([
    [{ port: 9092 }, ['PLAINTEXT 127.0.0.1 9092 127.0.0.1 ']],
    [{ host: '::1', port: 9092 }, ['PLAINTEXT ::1 9092 ::1 ']],
    [{ host: '0.0.0.0' }, ['PLAINTEXT 0.0.0.0 0 127.0.0.1 ']],
    [{ listeners: 'PLAINTEXT://[::]:0' }, ['PLAINTEXT :: 0 127.0.0.1 ']],
    [{ listeners: 'plaintext://:9092' }, ['PLAINTEXT  9092 127.0.0.1 ']],
    [
      {
        listeners: 'IN://0.0.0.0:0, OUT://127.0.0.1:9093',
        advertisedListeners: 'OUT://kafka.example:19093',
        settings: { 'listener.security.protocol.map': 'IN:PLAINTEXT,OUT:PLAINTEXT' },
      },
      ['IN 0.0.0.0 0 127.0.0.1 ', 'OUT 127.0.0.1 9093 kafka.example 19093'],
    ],
    [{ listeners: 'PLAINTEXT://:0', advertisedListeners: 'PLAINTEXT://kafka:0' }, ['PLAINTEXT  0 kafka ']],
    [{ listeners: 'PLAINTEXT://a:1,CONTROLLER://:9093' }, ['PLAINTEXT a 1 a ']],
    [
      { listeners: 'PLAINTEXT://a:1,QUORUM://:9093', settings: { 'controller.listener.names': 'QUORUM' } },
      ['PLAINTEXT a 1 a '],
    ],
  ] satisfies [BrokerOptions, string[]][])('%j', (options, listeners) => {
    expect(listenersOf(options)).toEqual(listeners)
  })
})

describe('what makes no sense is refused in one line', () => {
  test.each([
    [{ settings: { 'num.partition': 1 } }, 'unknown setting num.partition; did you mean num.partitions?'],
    [
      { settings: { 'num.partitions': 0 } },
      'Invalid value 0 for configuration num.partitions: Value must be at least 1',
    ],
    [
      { settings: { 'group.consumer.assignors': 'range,mine' } },
      'Invalid value [range, mine] for configuration group.consumer.assignors: There is no assignor mine; there are uniform and range',
    ],
    [
      { settings: { 'group.consumer.assignors': '' } },
      'Invalid value [] for configuration group.consumer.assignors: List must not be empty',
    ],
    [
      { port: 1, listeners: 'PLAINTEXT://:2' },
      'port or host and the setting listeners=PLAINTEXT://:2 say the same; give one of them',
    ],
    [
      { data: 'd', settings: { 'log.dirs': 'e' } },
      'data and the setting log.dirs=e say the same; give one of them',
    ],
    [{ settings: { 'node.id': 1, 'broker.id': 2 } }, 'node.id=1 and broker.id=2 disagree; give one of them'],
    [{ settings: { 'log.dirs': 'a,b' } }, 'log.dirs must name one directory, not 2'],
    [{ clusterId: 'short' }, "cluster id 'short' is not 22 characters of URL-safe base64"],
    [
      { listeners: 'nonsense' },
      "listeners: cannot read 'nonsense'; write NAME://HOST:PORT, as PLAINTEXT://127.0.0.1:9092",
    ],
    [
      { port: 65_536 },
      "listeners: cannot read 'PLAINTEXT://127.0.0.1:65536'; write NAME://HOST:PORT, as PLAINTEXT://127.0.0.1:9092",
    ],
    [{ listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }, 'listeners: two are named PLAINTEXT'],
    [
      { listeners: 'PLAINTEXT://a:1,B://a:1', settings: { 'listener.security.protocol.map': 'B:PLAINTEXT' } },
      'listeners: two are on a:1',
    ],
    [{ listeners: 'CONTROLLER://:9093' }, 'listeners names none that clients could use'],
    [{ listeners: '' }, 'listeners names none that clients could use'],
    [{ listeners: 'SSL://:9093' }, 'listener SSL asks for SSL, which is not served; served: PLAINTEXT'],
    [
      { listeners: 'INSIDE://:9093' },
      'listener INSIDE has no protocol; add INSIDE:PLAINTEXT to listener.security.protocol.map',
    ],
    [
      { settings: { 'listener.security.protocol.map': 'PLAINTEXT' } },
      "listener.security.protocol.map: cannot read 'PLAINTEXT'; write NAME:PROTOCOL",
    ],
    [{ advertisedListeners: 'B://a:1' }, 'advertised.listeners names B, which is not among listeners'],
    [
      { advertisedListeners: 'PLAINTEXT://0.0.0.0:1' },
      "advertised.listeners tells clients '0.0.0.0', which no client can connect to; name a host",
    ],
  ] satisfies [BrokerOptions, string][])('%j', (options, line) => {
    expect(() => resolveOptions(options)).toThrow(
      expect.objectContaining({ name: 'ConfigError', message: line }),
    )
  })
})

/** What is said of these. */
function warnings(settings: Record<string, string>): string[] {
  const said: string[] = []
  const logger: Logger = { ...silentLogger, warn: (_, message) => void said.push(message) }
  resolveOptions({ settings, logger })
  return said
}

describe('settings without effect', () => {
  test('are accepted, shown, and named in one warning', () => {
    const settings = { 'num.replica.fetchers': '4', 'zookeeper.connect': 'z:2181', 'num.partitions': '2' }
    expect(warnings(settings)).toEqual([
      'settings that have no effect here: num.replica.fetchers, zookeeper.connect',
    ])
    expect(resolveOptions({ settings }).settings.text('num.replica.fetchers')).toBe('4')
  })

  test('are not those that only topics feel', () => {
    expect(warnings({ 'message.max.bytes': '1000', 'log.cleanup.policy': 'compact' })).toEqual([])
  })
})

test('the older name of the node id means the same, and both are shown', () => {
  for (const options of [{ nodeId: 7 }, { settings: { 'broker.id': 7 } }, { settings: { 'node.id': 7 } }]) {
    const { settings } = resolveOptions(options)
    expect([settings.get('node.id'), settings.get('broker.id')]).toEqual([7, 7])
  }
})
