import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { gatherSettings, type Sources } from '../../../src/broker/configs/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'odradek-sources-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const nothing = { flags: [], environment: {}, file: undefined }

describe('precedence', () => {
  test('flags are stronger than the environment, and that than the file', async () => {
    const file = fileOf('a.properties', 'num.partitions=1\nbroker.rack=file\nfetch.max.bytes=2000')
    const environment = { KAFKA_NUM_PARTITIONS: '2', KAFKA_BROKER_RACK: 'environment' }
    const { settings } = await gatherSettings({ flags: ['num.partitions=3'], environment, file })
    expect(settings).toEqual({
      'num.partitions': '3',
      'broker.rack': 'environment',
      'fetch.max.bytes': '2000',
    })
  })

  test('of one flag given twice, the last counts', async () => {
    const { settings } = await gatherSettings({ ...nothing, flags: ['num.partitions=3', 'num.partitions=4'] })
    expect(settings).toEqual({ 'num.partitions': '4' })
  })
})

describe('the environment', () => {
  test("is read by the rule of Apache Kafka's image", async () => {
    const { settings, clusterId, unknownVariables } = await gatherSettings({
      ...nothing,
      environment: {
        KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://localhost:9092',
        ODRADEK_LOG_LEVEL: 'debug',
        KAFKA_ZOOKEEPER_CONNECT: 'zookeeper:2181',
        CLUSTER_ID: 'b2RyYWRlay1hbmNob3ItMQ',
        PATH: '/bin',
      },
    })
    expect(settings).toEqual({
      'advertised.listeners': 'PLAINTEXT://localhost:9092',
      'odradek.log.level': 'debug',
      'zookeeper.connect': 'zookeeper:2181',
    })
    expect(clusterId).toBe('b2RyYWRlay1hbmNob3ItMQ')
    expect(unknownVariables).toEqual([])
  })

  test('may hold what the image keeps for itself; anything else unknown is named', async () => {
    const { settings, unknownVariables } = await gatherSettings({
      ...nothing,
      environment: {
        KAFKA_OPTS: '-Xmx1G',
        KAFKA_HEAP_OPTS: '-Xmx1G',
        KAFKA_VERSION: '4.3.1',
        KAFKA_NUM_PARTITION: '1',
        KAFKA_A__B___C: '1',
        ODRADEK_COLOUR: 'red',
      },
    })
    expect(settings).toEqual({})
    expect(unknownVariables).toEqual(['KAFKA_NUM_PARTITION', 'KAFKA_A__B___C', 'ODRADEK_COLOUR'])
  })
})

describe('a TOML file', () => {
  test('flattens its tables to dotted names, and its arrays to lists', async () => {
    const toml = `
      num.partitions = 7
      "broker.rack" = "a"
      listeners = ["A://:1", "B://:2"]
      [auto.create.topics]
      enable = false
      [log]
      cleaner.min.cleanable.ratio = 0.25
      [odradek]
      storage = "memory"`
    const { settings } = await gatherSettings({ ...nothing, file: fileOf('a.toml', toml) })
    expect(settings).toEqual({
      'num.partitions': '7',
      'broker.rack': 'a',
      listeners: 'A://:1,B://:2',
      'auto.create.topics.enable': 'false',
      'log.cleaner.min.cleanable.ratio': '0.25',
      'odradek.storage': 'memory',
    })
  })
})

/** The message of the refusal, without the folder. */
async function failing(sources: Partial<Sources>): Promise<string> {
  const error = await gatherSettings({ ...nothing, ...sources }).then(
    () => new Error('accepted'),
    (error: Error) => error,
  )
  expect(error.name).toBe('ConfigError')
  expect(error.message).not.toContain('\n')
  return error.message.replaceAll(`${folder}/`, '')
}

describe('one line names the source and what is wrong', () => {
  test.each([
    ['num.partition=1', '--set: unknown setting num.partition; did you mean num.partitions?'],
    ['no.such.thing.at.all=1', '--set: unknown setting no.such.thing.at.all'],
    ['num.partitions=x', '--set: Invalid value x for configuration num.partitions: Not a number of type INT'],
    ['num.partitions=0', '--set: Invalid value 0 for configuration num.partitions: Value must be at least 1'],
    ['num.partitions', "--set: cannot read 'num.partitions'; write NAME=VALUE"],
    ['=1', "--set: cannot read '=1'; write NAME=VALUE"],
    [
      'odradek.storage=tape',
      '--set: Invalid value tape for configuration odradek.storage: String must be one of: files, memory',
    ],
  ])('--set %s', async (flag, line) => {
    expect(await failing({ flags: [flag] })).toBe(line)
  })

  test('a variable with a bad value', async () => {
    expect(await failing({ environment: { KAFKA_NUM_PARTITIONS: '-1' } })).toBe(
      'environment: Invalid value -1 for configuration num.partitions: Value must be at least 1',
    )
  })

  test.each([
    ['b.properties', 'Listeners=x', 'b.properties: unknown setting Listeners; did you mean listeners?'],
    ['b.toml', '[num]\npartition = 1', 'b.toml: unknown setting num.partition; did you mean num.partitions?'],
    ['c.toml', 'a = = 1', /^c\.toml:1: /],
    [
      'd.toml',
      'broker.rack = 2020-01-01',
      'd.toml: broker.rack must be a text, a number, true or false, or a list of these',
    ],
  ])('%s', async (name, text, line) => {
    const found = await failing({ file: fileOf(name, text) })
    if (typeof line === 'string') expect(found).toBe(line)
    else expect(found).toMatch(line)
  })

  test('a file that is not there, or no file', async () => {
    expect(await failing({ file: join(folder, 'missing.properties') })).toBe(
      'cannot read missing.properties: there is no such file',
    )
    const message = await failing({ file: tmpdir() })
    expect(message).toMatch(/^cannot read .*: it is a directory$/)
  })
})
